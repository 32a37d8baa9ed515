"""TLS on the wire in its parts: handshake messages to the field, certificates."""
