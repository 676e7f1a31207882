"""Tells people what deserves their attention."""
