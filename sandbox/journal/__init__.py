"""What happened: records of sessions, bytes and exchanges, the bus that hands them out, the store that keeps them."""
