"""The words of IMAP: octets to values and back, without I/O and without state.

`Cursor` walks over one whole command as it stood on the wire, literals in place; a reader in each of the other files
is a chain of its steps. What cannot be read raises `GrammarError`, and nothing else.
"""
