"""The contract between protocols and the network, and the list of all protocols."""
