"""Connectivity probes: what each system fetches to learn whether it is online, and the answer it waits for.

Answered exactly, a machine whose whole network is the sandbox believes it is online and leaves its user in peace.
Nothing here follows a standard but each maker's own word; the probes are asked over plain HTTP.
"""

from __future__ import annotations

from sandbox.protocols.http.messages import Headers, Request, Response
from sandbox.websites import answers

__all__ = ["PROBES", "probe"]

APPLE = (b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>", "text/html")
GNOME = (b"NetworkManager is online\n", "text/plain; charset=UTF-8")
FIREFOX = (b"success\n", "text/plain")
NOTHING = (b"", "")

PROBES: dict[tuple[str, str], tuple[bytes, str]] = {
    # Windows: NCSI (Network Connectivity Status Indicator)
    ("www.msftconnecttest.com", "/connecttest.txt"): (b"Microsoft Connect Test", "text/plain"),
    ("ipv6.msftconnecttest.com", "/connecttest.txt"): (b"Microsoft Connect Test", "text/plain"),
    ("www.msftncsi.com", "/ncsi.txt"): (b"Microsoft NCSI", "text/plain"),
    ("ipv6.msftncsi.com", "/ncsi.txt"): (b"Microsoft NCSI", "text/plain"),
    ("edge-http.microsoft.com", "/captiveportal/generate_204"): NOTHING,
    # Apple: the Captive Network Assistant
    ("captive.apple.com", "/"): APPLE,
    ("captive.apple.com", "/hotspot-detect.html"): APPLE,
    ("captive.apple.com", "/library/test/success.html"): APPLE,
    ("www.apple.com", "/library/test/success.html"): APPLE,
    ("www.appleiphonecell.com", "/library/test/success.html"): APPLE,
    ("www.airport.us", "/library/test/success.html"): APPLE,
    ("www.ibook.info", "/library/test/success.html"): APPLE,
    ("www.itools.info", "/library/test/success.html"): APPLE,
    ("www.thinkdifferent.us", "/library/test/success.html"): APPLE,
    # Android, Chrome and ChromeOS
    ("connectivitycheck.gstatic.com", "/generate_204"): NOTHING,
    ("connectivitycheck.android.com", "/generate_204"): NOTHING,
    ("clients1.google.com", "/generate_204"): NOTHING,
    ("clients3.google.com", "/generate_204"): NOTHING,
    ("clients4.google.com", "/generate_204"): NOTHING,
    ("play.googleapis.com", "/generate_204"): NOTHING,
    ("www.gstatic.com", "/generate_204"): NOTHING,
    ("www.google.com", "/generate_204"): NOTHING,
    ("www.google.com", "/gen_204"): NOTHING,
    # Firefox
    ("detectportal.firefox.com", "/success.txt"): FIREFOX,
    ("detectportal.firefox.com", "/canonical.html"): (
        b'<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>', "text/html"),
    # NetworkManager, as each distribution sets it up, and KDE's own
    ("connectivity-check.ubuntu.com", "/"): NOTHING,
    ("network-test.debian.org", "/nm"): GNOME,
    ("nmcheck.gnome.org", "/check_network_status.txt"): GNOME,
    ("ping.archlinux.org", "/nm-check.txt"): GNOME,
    ("conncheck.opensuse.org", "/"): GNOME,
    ("fedoraproject.org", "/static/hotspot.txt"): (b"OK", "text/plain"),
    ("networkcheck.kde.org", "/"): (b"OK\n", "text/html"),
}

SAME = (("Cache-Control", "no-store"), ("X-NetworkManager-Status", "online"))
"""NetworkManager takes this field alone as a yes; to the others it means nothing."""


def probe(request: Request) -> Response | None:
    """The answer a probe waits for; None if this is none."""
    known = PROBES.get((request.host, request.path))
    if known is None or request.method not in ("GET", "HEAD"):
        return None
    body, media_type = known
    request.facts["probe"] = request.host
    if not body:
        return Response(204, Headers(SAME))
    return answers.answer(body, media_type, headers=SAME)
