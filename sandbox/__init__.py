"""A safe local internet in one process."""
