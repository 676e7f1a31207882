"""Strategies, one a file; adding a file adds a strategy."""
