"""Which message answers which (RFC 5256 §3, THREAD=ORDEREDSUBJECT and THREAD=REFERENCES)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.message.headers import Header
from sandbox.protocols.imap.library import Known, Library
from sandbox.protocols.imap.matching import Found, read_headers
from sandbox.protocols.imap.sorting import base_subject, casemap, when_sent

__all__ = ["Node", "thread_messages", "write_threads"]

MESSAGE_ID = re.compile(rb"<[^<>\s]+>")
MOST_REFERENCES = 200
DEEPEST = 1000  # answers to answers; a message further down begins a thread of its own


class Node:
    """A message in a thread; found None for one that is only referred to."""

    __slots__ = ("children", "found", "parent", "reply", "sent", "subject")

    def __init__(self, found: Found | None = None) -> None:
        self.found = found
        self.parent: Node | None = None
        self.children: list[Node] = []
        self.sent = 0.0
        self.subject = ""
        self.reply = False

    def adopt(self, child: Node) -> None:
        """child: one without a parent, or whose parent is done with its children."""
        child.parent = self
        self.children.append(child)


def thread_messages(library: Library, found: Sequence[Found], algorithm: str) -> list[Node]:
    """The first messages of the threads, in order, with what follows each. Blocks."""
    if algorithm == "ORDEREDSUBJECT":
        return by_subject(library, found)
    return by_references(library, found)


def read_node(found: Found, known: Known | None) -> Node:
    node = Node(found)
    node.sent = when_sent(found, known)
    base, node.reply = base_subject(None if known is None else known.header.first(b"subject"))
    node.subject = casemap(base)
    return node


def by_subject(library: Library, found: Sequence[Found]) -> list[Node]:
    """All messages of one base subject are a thread: the first, and the others below it."""
    nodes = sorted((read_node(each, known) for each, known in read_headers(library, found)), key=order)
    threads: dict[str, Node] = {}
    for node in nodes:
        if node.subject in threads:
            threads[node.subject].adopt(node)
        else:
            threads[node.subject] = node
    return list(threads.values())


def order(node: Node) -> tuple[float, int]:
    return node.sent, node.found.number if node.found is not None else 0


def by_references(library: Library, found: Sequence[Found]) -> list[Node]:
    """RFC 5256's REFERENCES, by its numbered steps."""
    nodes: dict[bytes, Node] = {}
    everyone: list[Node] = []
    for each, known in read_headers(library, found):  # (1)
        message_id, references = (b"", []) if known is None else identify(known.header)
        fresh = read_node(each, known)
        node = nodes.get(message_id) if message_id else None
        if node is None or node.found is not None:
            node = fresh
            if message_id and message_id not in nodes:
                nodes[message_id] = node
        else:
            node.found, node.sent, node.subject, node.reply = fresh.found, fresh.sent, fresh.subject, fresh.reply
        everyone.append(node)
        link(nodes, node, references)
    roots = []  # (2)
    for node in dict.fromkeys([*nodes.values(), *everyone]):
        if node.parent is None:
            roots.append(node)
        else:
            node.parent.children.append(node)
    roots = prune(roots)  # (3)
    sort_tree(roots)  # (4)
    roots = join_subjects(roots)  # (5)
    sort_tree(roots)  # (6)
    return roots


def identify(header: Header) -> tuple[bytes, list[bytes]]:
    """(the message's own id, those it refers to, oldest first)."""
    own = MESSAGE_ID.search(b" ".join(header.values(b"message-id")))
    references = MESSAGE_ID.findall(b" ".join(header.values(b"references")))
    if not references:
        references = MESSAGE_ID.findall(b" ".join(header.values(b"in-reply-to")))[:1]
    return own[0] if own else b"", references[-MOST_REFERENCES:]


def link(nodes: dict[bytes, Node], node: Node, references: list[bytes]) -> None:
    """Hang a message below what it refers to, and those below each other, where nothing contradicts it (step 1).

    Only who is above whom is written down: a link may be broken again by what the message below says itself, since
    others may have cut their lists of references short (step 1 B).
    """
    above: Node | None = None
    for reference in references:
        named = nodes.setdefault(reference, Node())
        if above is not None and named.parent is None and not within(above, named):
            named.parent = above
        above = named
    if above is None or not within(above, node):
        node.parent = above


def within(node: Node | None, ancestor: Node) -> bool:
    """Whether `node` is `ancestor` or below it; also said of what is too deep to tell."""
    for _ in range(DEEPEST):
        if node is None:
            return False
        if node is ancestor:
            return True
        node = node.parent
    return True


def prune(roots: list[Node]) -> list[Node]:
    """Remove nodes without a message; their children move up, at the top only if there is just one (step 3)."""
    order_found: list[Node] = []
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        order_found.append(node)
        waiting += node.children
    for node in reversed(order_found):  # children before parents
        kept: list[Node] = []
        for child in node.children:
            if child.found is None:
                kept += child.children
            else:
                kept.append(child)
        for child in kept:
            child.parent = node
        node.children = kept
    result = []
    for root in roots:
        if root.found is not None or len(root.children) > 1:
            result.append(root)
        elif root.children:
            root.children[0].parent = None
            result.append(root.children[0])
    return result


def sort_tree(roots: list[Node]) -> None:
    """By the date sent; a node without a message counts as its first child (steps 4 and 6)."""
    waiting = [roots]
    while waiting:
        level = waiting.pop()
        for node in level:
            if node.found is None and node.children:
                node.children.sort(key=order)
        level.sort(key=lambda node: order(node) if node.found is not None else order(node.children[0]))
        waiting += [node.children for node in level if node.children]


def join_subjects(roots: list[Node]) -> list[Node]:
    """Threads with one base subject become one (step 5)."""
    table: dict[str, Node] = {}
    for root in roots:
        subject = subject_of(root).subject
        other = table.get(subject)
        if subject and (other is None or (root.found is None and other.found is not None) or (
                other.found is not None and subject_of(other).reply and not subject_of(root).reply)):
            table[subject] = root
    result: list[Node] = []
    places: dict[int, int] = {}
    replaced: dict[int, Node] = {}
    for root in roots:
        subject = subject_of(root).subject
        other = table.get(subject, root) if subject else root
        other = replaced.get(id(other), other)
        if other is root:
            places[id(root)] = len(result)
            result.append(root)
        elif root.found is None and other.found is None:
            for child in root.children:
                other.adopt(child)
        elif other.found is None or (root.reply and not subject_of(other).reply):
            other.adopt(root)
        else:
            both = Node()
            replaced[id(other)] = both
            both.subject = subject
            if id(other) in places:
                result[places[id(other)]] = both
            else:
                result.append(both)
            both.adopt(other)
            both.adopt(root)
    adopted = {id(child) for both in replaced.values() for child in both.children}
    return [root for root in result if id(root) not in adopted]


def subject_of(node: Node) -> Node:
    """The node whose subject counts for a thread."""
    return node if node.found is not None or not node.children else node.children[0]


def write_threads(threads: Sequence[Node], *, uid: bool) -> bytes:
    """Brackets around each thread and each branch, without recursion: a thread may be long."""
    words: list[str] = []

    def name(node: Node) -> str:
        assert node.found is not None
        return str(node.found.item.uid if uid else node.found.number)

    waiting: list[Node | str] = [*reversed(threads)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            words.append(node)
            continue
        line: list[str] = []
        at: Node | None = node
        branches: list[Node] = []
        while at is not None:
            if at.found is not None:
                line.append(name(at))
            branches = at.children
            at = branches[0] if len(branches) == 1 else None
        words.append("(" + " ".join(line) + (" " if line and branches else ""))
        waiting += [")", *reversed(branches)]
    return "".join(words).encode()
