"""Where there are no namespaces: the sandbox as a proxy, told in variables of the environment. Programs that know
neither a proxy nor these variables go their own way, so this is no cage."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.datafolder import Endpoint
from sandbox.errors import UserError
from sandbox.shell.files import BUNDLES, TRUST

__all__ = ["run", "variables"]


def variables(running: Mapping[str, Endpoint], bundle: str) -> dict[str, str]:
    """bundle: a file with the authorities to trust, "" for none. Raises UserError."""
    if "http" not in running:
        raise UserError("--proxy needs the http service, and this sandbox has it turned off")
    http = running["http"]
    host = f"[{http.host}]" if ":" in http.host else http.host
    proxy = f"http://{host}:{http.port}"
    found = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), proxy)
    found |= {"no_proxy": "", "NO_PROXY": "", "NODE_USE_ENV_PROXY": "1", "SANDBOX_SHELL": "proxy"}
    return found | (dict.fromkeys(TRUST, bundle) if bundle else {})


def run(running: Mapping[str, Endpoint], ca: str, command: Sequence[str]) -> int:
    """Run a program with the variables set, and give its exit status. Raises UserError."""
    with tempfile.TemporaryDirectory(prefix="sandbox-shell-") as folder:
        bundle = ""
        if ca:
            system = next((Path(place) for place in BUNDLES if Path(place).is_file()), None)
            file = Path(folder) / "authorities.pem"
            file.write_text((system.read_text(errors="replace") if system else "") + Path(ca).read_text())
            bundle = str(file)
        try:
            program = os.spawnvpe(os.P_WAIT, command[0], list(command), os.environ | variables(running, bundle))
        except OSError as error:
            raise UserError(f"{command[0]} cannot be run: {error.strerror}") from error
    return program if program >= 0 else 128 - program
