"""proxy.pac and wpad.dat: a function in JavaScript that tells a browser which proxy to use for which address.

The file sends everything to the sandbox, with no way around it: no name is looked up and no address outside is tried
while a browser follows it. A browser finds it by its address, or by itself at http://wpad/wpad.dat (WPAD).
"""

from __future__ import annotations

import re

from sandbox.address import Address
from sandbox.protocols.http.messages import Request, Response
from sandbox.websites import answers

__all__ = ["MEDIA_TYPE", "PATHS", "proxy_configuration"]

PATHS = frozenset({"/proxy.pac", "/wpad.dat"})
MEDIA_TYPE = "application/x-ns-proxy-autoconfig"

SCRIPT = """\
// Everything a browser asks for goes to the sandbox, and from there nowhere.
function FindProxyForURL(url, host) {
  if (host == "localhost" || host == "127.0.0.1" || host == "::1" || host == "[::1]") {
    return "DIRECT";  // this machine itself, such as the sandbox's own pages
  }
  return "PROXY %s";
}
"""

HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")


def proxy_configuration(request: Request, endpoint: Address) -> Response:
    """The file for this client: the proxy has the name and port under which the client reached us; endpoint: where
    we are, for a client that asked through the proxy already."""
    host, port = request.host, request.port
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    if request.proxied or HOST.fullmatch(host) is None:
        host, _, _ = str(endpoint).rpartition(":")
        port = endpoint.port
    return answers.answer((SCRIPT % f"{host}:{port}").encode(), MEDIA_TYPE, headers=[("Cache-Control", "no-store")])
