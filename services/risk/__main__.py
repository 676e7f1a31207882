"""`python -m services.risk`: stand guard, or use the kill switch from a terminal."""

from services.risk.cli.arguments import main

if __name__ == "__main__":
    main()
