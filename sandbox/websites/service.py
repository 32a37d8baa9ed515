"""The http service: the engine of `sandbox.protocols.http` with the websites of the world on it."""

from __future__ import annotations

from sandbox.protocols.contract.registry import Context, Service
from sandbox.protocols.http.session import BUSY, HttpService
from sandbox.websites import build

__all__ = ["serve"]


def serve(context: Context) -> Service:
    """One role of HTTP, for all hosts of the world."""
    return Service(session=HttpService(context, build(context)).session, busy=BUSY)
