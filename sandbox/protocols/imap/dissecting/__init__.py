"""IMAP's octets in their parts: tokens, what each stands for in a command and in a response."""
