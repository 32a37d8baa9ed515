"""Channels: a socket, and what may lie over it (TLS, compression)."""
