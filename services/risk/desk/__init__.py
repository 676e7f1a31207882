"""The control desk: one page from the guard's process."""
