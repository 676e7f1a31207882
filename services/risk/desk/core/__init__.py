"""What the desk shows and whom it lets in: no clock, no I/O."""
