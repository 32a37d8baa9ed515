"""One folder per protocol, and what they share: the contract of a conversation and the registry."""
