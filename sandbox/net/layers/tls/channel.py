"""A channel that encrypts: the same four calls as `sandbox.net.layers.channel.Channel`, over one, with the engine
between.

Every byte on the wire is recorded in the session's wire streams, the plain ones by the conversation above: the two
views of an eavesdropper and of the two ends.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import trio

from sandbox.journal.recorder import Recorder
from sandbox.journal.records import Stream
from sandbox.net.layers.channel import Channel
from sandbox.net.layers.layer import Layer
from sandbox.net.layers.tls.contexts import Strength, site_for
from sandbox.net.layers.tls.engine import Engine, NotOpen, State
from sandbox.net.layers.tls.fingerprints import ja3, ja4
from sandbox.net.layers.tls.settings import TlsSettings
from sandbox.protocols.contract.conversation import Closed, OpenExchange
from sandbox.protocols.contract.strike import BadHandshake

if TYPE_CHECKING:
    from sandbox.pki.leaves import Leaf

__all__ = ["TlsChannel", "TlsSettings"]

PIECE = 65_536
"""Octets of plain text encrypted at once; the rest waits until the wire has taken them."""

Wait = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]
"""Waits for a channel to be readable or writable, as a conversation does."""

Meet = Callable[[str], Awaitable[BadHandshake | None]]
"""What befalls a handshake with a client that asked for that name, None for nothing."""


async def undisturbed(name: str) -> None:
    """Nothing."""


class TlsChannel(Layer):
    """TLS over a channel, as the server. Encrypts from `handshake` on."""

    __slots__ = ("_address", "_bindings", "_leaves", "_recorder", "_settings", "_wire", "engine")

    def __init__(self, inner: Channel, recorder: Recorder, settings: TlsSettings) -> None:
        super().__init__(inner)
        self._recorder = recorder
        self._settings = settings
        self._address = recorder.session.server.host
        self._wire = b""
        """Encrypted, recorded, and not taken by the kernel yet."""
        self._leaves: tuple[Leaf, ...] = ()
        """The certificates of the site, of which one was sent."""
        self._bindings: dict[str, bytes] | None = None
        self.engine = Engine()

    async def handshake(self, wait: Wait, meet: Meet = undisturbed) -> None:
        """Raises Closed when it fails, TimedOut; what has to be said to the client then has been sent."""
        engine, settings = self.engine, self._settings
        while engine.state not in (State.OPEN, State.FAILED):
            if engine.state is State.CONTEXT:
                bad = await meet(engine.server_name) or BadHandshake()
                if bad.stops:
                    await self._stop(wait)
                if bad.alert:
                    engine.refuse(bad.alert)
                    continue
                site = site_for(engine.server_name, self._address, settings.alpn,
                                Strength.OLDEST if bad.oldest else settings.strength, bad.certificate)
                context = settings.contexts.ready(site)
                if context is None:
                    context = await trio.to_thread.run_sync(settings.contexts.get, site)
                self._leaves = settings.contexts.leaves(site)
                engine.choose(context, settings.alpn, settings.tickets)
            elif not self._take():
                await wait(self._inner.readable)
            if engine.opened:
                self._mention()
            else:
                self._push()
            while self.behind:
                await wait(self._inner.writable)
                self._push()
        self._push()
        if not engine.opened:
            raise Closed("the TLS handshake failed")

    async def _stop(self, wait: Wait) -> None:
        """Say nothing more, whatever comes, until the client or a limit ends it."""
        while True:
            data = self._inner.receive_now()
            if data == b"":
                raise Closed("the client did not wait for the handshake")
            if data:
                self._recorder.chunk(Stream.CLIENT_WIRE, data)
            await wait(self._inner.readable)

    def facts(self) -> dict[str, str]:
        """What is known of the handshake, for the journal. The recorded wire bytes hold the rest."""
        engine = self.engine
        facts = {"version": engine.version, "suite": engine.suite, "alpn": engine.alpn}
        if engine.hello is not None:
            facts |= {"host": engine.server_name}
            if engine.hello.layout == "tls":
                facts |= {"ja3": ja3(engine.hello), "ja4": ja4(engine.hello)}
        if engine.failure is not None:
            facts |= {"alert-received": engine.failure.received, "alert-sent": engine.failure.sent,
                      "detail": engine.failure.detail}
        return {name: value for name, value in facts.items() if value}

    def binding(self, kind: str) -> bytes | None:
        """See `Conversation.channel_binding`."""
        if self._bindings is None:
            self._bindings = self._bind()
        return self._bindings.get(kind)

    def _bind(self) -> dict[str, bytes]:
        from sandbox.net.layers.tls import bindings
        engine, keylog = self.engine, self._settings.contexts.keylog
        if engine.state is not State.OPEN or engine.hello is None:
            return {}
        found = {"tls-unique": engine.unique}
        if engine.version == "TLS 1.3" and keylog is not None:
            secret = bindings.logged_secret(keylog, engine.hello)
            found["tls-exporter"] = bindings.exporter(secret) if secret else b""
        if not engine.resumed:
            leaf = bindings.sent_leaf(self._leaves, engine.hello, engine.version, engine.suite)
            found["tls-server-end-point"] = bindings.end_point(leaf) if leaf is not None else b""
        return {kind: data for kind, data in found.items() if data}

    def tell(self, exchange: OpenExchange) -> None:
        """End the exchange that the handshake is, whether it went well or not."""
        facts = self.facts()
        for name, value in facts.items():
            exchange.note(name, value)
        exchange.asked = facts.get("host", "")
        if self.engine.opened:
            exchange.end(facts["version"], facts["suite"], f"tls:version.{facts['version']}")
        else:
            why = self.engine.failure.situation if self.engine.failure is not None else "broken-off"
            exchange.end("failed", why.replace("-", " "), f"tls:situation.{why}")

    # -- as Channel ---------------------------------------------------------------------------------------------

    @property
    def damaged(self) -> bool:
        failure = self.engine.failure
        return failure is not None and failure.situation == "damaged" and not failure.received

    @property
    def truncated(self) -> bool:
        return self.engine.truncated

    @property
    def behind(self) -> bool:
        """Whether wire bytes wait for the kernel."""
        return bool(self._wire)

    @property
    def at_end(self) -> bool:
        """Whether the client's close_notify, or what ended the connection, came together with its last words: the
        socket tells nothing more."""
        engine = self.engine
        return engine.peer_closed or engine.truncated or engine.state is State.FAILED

    def receive_now(self, limit: int = 0) -> bytes | None:
        engine = self.engine
        while True:
            data = engine.read()
            if data:
                return data
            if engine.peer_closed or engine.truncated:
                return b""
            if engine.state is State.FAILED:
                raise Closed("the TLS connection was damaged")
            if not self._take():
                return None
            self._mention()

    def send_now(self, data: bytes | memoryview) -> int:
        self._push()
        if self._wire or not data:
            return 0
        piece = data[:PIECE]
        try:
            self.engine.write(bytes(piece))
        except NotOpen as error:
            raise Closed(str(error)) from error
        self._push()
        return len(piece)

    def end_writing(self) -> None:
        self.engine.close()
        self._push()
        self._inner.end_writing()

    def close(self, *, with_reset: bool = False) -> None:
        # OpenSSL forgets a session whose connection ends before one side has said so, but a client that leaves
        # without a word may still come back with it (RFC 5246 §7.2.1).
        self.engine.close()
        self._inner.close(with_reset=with_reset)

    # -- the wire -----------------------------------------------------------------------------------------------

    def _take(self) -> bool:
        """Feed the engine what has arrived. False for nothing yet. Raises Closed."""
        data = self._inner.receive_now()
        if data is None:
            return False
        if data:
            self._recorder.chunk(Stream.CLIENT_WIRE, data)
            self.engine.receive(data)
        else:
            self.engine.receive_end()
        return True

    def _mention(self) -> None:
        """As `_push`, for what the client need not hear: tickets for a next time, an answer to close_notify.

        A client that only had something to say, such as an FTP upload, may be gone by now. What it said still counts.
        """
        try:
            self._push()
        except Closed:
            self._wire = b""

    def _push(self) -> None:
        """Send what the engine has to say, as far as the kernel takes it. Raises Closed."""
        data = self.engine.outgoing()
        if data:
            self._recorder.chunk(Stream.SERVER_WIRE, data)
            self._wire += data
        if self._wire:
            sent = self._inner.send_now(self._wire)
            self._wire = self._wire[sent:]
