"""Deciding a recorded session again, fact by fact, and finding the first decision that would now be another."""
