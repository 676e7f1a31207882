"""A session on a live market: its slices as they close, and orders at a venue that answers in its own time."""
