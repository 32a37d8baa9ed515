"""Why a system does not allow namespaces, and what to do about it."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

from sandbox.linux.namespaces import NamespaceError

__all__ = ["advice"]

INSTEAD = "Or use `sandbox shell --proxy`, which sets variables for programs that know a proxy, and needs nothing."


def advice(error: NamespaceError | None = None, *, root: Path = Path("/"), platform: str = sys.platform) -> str:
    """What forbids it, as a sentence, and what helps. root: where the system's files are."""
    if platform != "linux":
        return f"A shell with an internet of its own needs the namespaces of Linux. {INSTEAD}"
    if number(root / "proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1:
        return ("AppArmor allows user namespaces to chosen programs only, as on Ubuntu since 24.04. An administrator "
                "can allow them: sysctl kernel.apparmor_restrict_unprivileged_userns=0. " + INSTEAD)
    if number(root / "proc/sys/kernel/unprivileged_userns_clone") == 0:
        return ("This system allows user namespaces to root only. An administrator can allow them: sysctl "
                "kernel.unprivileged_userns_clone=1. " + INSTEAD)
    if number(root / "proc/sys/user/max_user_namespaces") == 0:
        return ("This system allows no user namespaces. An administrator can allow them: sysctl "
                "user.max_user_namespaces=10000. " + INSTEAD)
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists():
        return ("This is a container, whose engine forbids making namespaces. Start it with --security-opt "
                "seccomp=unconfined --security-opt apparmor=unconfined, or use the lab of docker-compose.yml, which "
                "has an internet of its own already. " + INSTEAD)
    if error is not None and error.errno == errno.ENOSPC:
        return f"There are as many namespaces as this system allows: close some shells. {INSTEAD}"
    why = f" ({error.step}: {error.strerror})" if error is not None else ""
    return f"This system does not allow a process to make namespaces{why}. {INSTEAD}"


def number(file: Path) -> int | None:
    """What a setting of the kernel says, None where there is no such setting."""
    try:
        return int(file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
