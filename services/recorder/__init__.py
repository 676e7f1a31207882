"""Writes the read side: session files, PostgreSQL, gauges and reports."""
