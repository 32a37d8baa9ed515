"""A filter's meaning as a sentence, for those who wrote it and those who did not."""

from __future__ import annotations

from sandbox.filter.tree import And, Node, Not, Or, Term

__all__ = ["words"]


def words(tree: Node) -> str:
    """ "Exchanges whose verb is GET and that went wrong, but none whose host is example.com or below it." """
    if tree == And(()):
        return "All exchanges."
    parts = tree.parts if isinstance(tree, And) else (tree,)
    wanted = [_clause(part, inside=len(parts) > 1) for part in parts if not isinstance(part, Not)]
    unwanted = [_clause(part.part, inside=True) for part in parts if isinstance(part, Not)]
    said = f"Exchanges {' and '.join(wanted)}" if wanted else "All exchanges"
    return said + (f", but none {', and none '.join(unwanted)}" if unwanted else "") + "."


def _clause(node: Node, *, inside: bool) -> str:
    """Relative clauses for a node; inside: of another one, so that several need brackets."""
    match node:
        case Term():
            return node.test.words
        case Not():
            return f"not {_clause(node.part, inside=True)}"
        case And():
            joined = " and ".join(_clause(part, inside=True) for part in node.parts)
        case Or():
            joined = " or ".join(_clause(part, inside=True) for part in node.parts)
    return f"({joined})" if inside else joined
