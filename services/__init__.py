"""The four processes."""
