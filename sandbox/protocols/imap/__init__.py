"""IMAP: mail that stays on the server, seen by many clients at once (RFC 9051 and 3501)."""
