"""The websites of the world, on the HTTP engine: `choice` says which one a request is for."""
