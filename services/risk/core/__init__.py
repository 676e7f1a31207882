"""The guard's decisions: pure, synchronous, one guard a session."""
