"""Every action, by its word. Each has a file of its own, and a row in docs/reference/faults.md."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sandbox.faults.action import Action
from sandbox.faults.actions import (
    alert,
    certificate,
    close,
    cut,
    delay,
    garbage,
    greylist,
    half_close,
    handshake_stops,
    hold,
    lame,
    no_data,
    old_tls,
    reply,
    reset,
    silence,
    slices,
    stale,
    throttle,
    truncated,
    uidvalidity,
    wrong_id,
)

__all__ = ["ACTIONS"]

ACTIONS: Mapping[str, Action] = MappingProxyType({module.ACTION.name: module.ACTION for module in (
    reply, greylist, no_data, uidvalidity, truncated, wrong_id, lame, stale,
    delay, throttle, slices, cut, half_close, close, reset, silence, garbage,
    hold, certificate, alert, handshake_stops, old_tls)})
