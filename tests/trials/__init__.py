"""Whole sessions at a venue's test server, at the speed of the machine and under every kind of trouble."""
