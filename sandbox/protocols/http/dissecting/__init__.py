"""HTTP's octets in their parts: HTTP/1.1 messages, HTTP/2 frames and their packed fields, WebSocket frames."""
