"""The words of the tcp knowledge are those that records really use."""

from __future__ import annotations

import re

from sandbox.journal.records import Session
from sandbox.net.facts import FIELDS
from sandbox.net.facts import OPTIONS as KERNEL_OPTIONS
from sandbox.protocols.contract.registry import PROTOCOLS
from sandbox.protocols.tcp.session import SERVICES
from sandbox.protocols.tcp.vocabulary import ENDS, FACTS, OPTIONS


def test_services_are_the_roles() -> None:
    [protocol] = [protocol for protocol in PROTOCOLS if protocol.name == "tcp"]
    assert {role.name for role in protocol.roles} == SERVICES


def test_ends_are_those_of_the_session_record() -> None:
    assert Session.__doc__ is not None
    described = re.search(r"end: .*?\((.*?)\)", Session.__doc__, re.DOTALL)
    assert described is not None
    assert set(re.findall(r'"([a-z-]+)"', described[1])) <= ENDS


def test_facts_are_those_of_the_kernel() -> None:
    assert {name for name, _ in FIELDS} <= FACTS
    assert {name for _, name in KERNEL_OPTIONS} == OPTIONS
