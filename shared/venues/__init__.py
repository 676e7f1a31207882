"""Access to venues: the port and one adapter a venue."""
