"""Runs a test suite of somebody else's, with our plugin, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["run_suite"]


def run_suite(folder: Path, text: str, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """text: of its only file. It loads the plugin by the package's entry point, as everybody's does."""
    file = folder / "test_of_somebody.py"
    file.write_text(text, encoding="utf-8")
    (folder / "pytest.ini").touch()
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:trio", *options, str(file)],
        cwd=folder, env={**os.environ, **environ}, capture_output=True, text=True, timeout=120, check=False)
