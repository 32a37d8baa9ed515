"""POP3: fetching mail from one maildrop (RFC 1939)."""
