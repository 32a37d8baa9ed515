"""SMTP: accepting mail, from other servers and from people, and carrying it on (RFC 5321, 6409)."""
