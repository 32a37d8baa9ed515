"""Journeys: one click, one letter, one upload as the whole way it took, over all protocols.

Pure: records in, trees out. Each file finds ties of one kind between exchanges; `trees` keeps the surest of each
exchange and makes trees of them. A tie that follows from what was recorded is certain; one from names and times is
probable, and says so.

    ties        what a tie is
    causes      the sandbox dialled because of it; data connections; what a tunnel carried
    pages       documents, what they embed, redirects, the handshake and the questions before
    letters     from a submission to the mailbox and out of it again
    places      an upload, and who got it
    walks       down the tree of names, a server at a time
    logins      one person, several protocols
    trees       the surest ties as trees
"""

from sandbox.journeys.trees import Journey, Step, journeys

__all__ = ["Journey", "Step", "journeys"]
