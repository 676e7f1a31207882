"""How the system is put up: embedded for demo and tests, in containers for keeps."""
