"""Names: domains, zones and their records."""
