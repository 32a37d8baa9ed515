"""The I/O room, the only one that touches sockets. It carries conversations, keeps the limits and records; it knows
no protocol by name."""
