"""The small services of 1983 (RFC 862-865, 867, 868), and the knowledge of TCP and UDP themselves."""
