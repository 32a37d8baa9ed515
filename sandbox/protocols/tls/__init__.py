"""What is known about TLS: knowledge for the explanations, and this server's account of the RFCs.

There is no session here. TLS runs below every other protocol, in `sandbox.net.layers.tls`.
"""
