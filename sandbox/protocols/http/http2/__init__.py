"""HTTP/2 (RFC 9113): many requests at once on one connection, each a stream of frames."""
