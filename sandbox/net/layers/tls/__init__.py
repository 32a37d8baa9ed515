"""TLS, in one place for all protocols: the engine, its contexts, and what a handshake said.

`wire` and `hello` read recorded bytes and know nothing of OpenSSL; `fingerprints` and `handshake` turn them into
facts. `contexts` keeps OpenSSL's contexts, one per name; `engine` is a server without sockets over one of them.
"""
