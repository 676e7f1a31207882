"""The kill switch and its relatives, from a terminal."""
