"""The recorder's command line."""

import sys

from services.recorder.commands import main

if __name__ == "__main__":
    sys.exit(main())
