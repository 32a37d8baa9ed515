"""`sandbox run`: a command whose internet is a sandbox, in real processes."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

FETCH = """
import os, ssl, sys, urllib.request
for url in ("http://www.example.org/", "https://www.example.com/"):
    with urllib.request.urlopen(url, timeout=20) as response:
        assert response.status == 200
assert os.environ["SANDBOX_URL"].startswith("http://127.0.0.1:")
assert os.environ["SMTP_PORT"] == os.environ["SANDBOX_SMTP_PORT"]
sys.exit(int(sys.argv[1]))
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "sandbox", "run", *arguments], capture_output=True, text=True,
                          timeout=60, check=False)


def test_the_exit_status_is_passed_on_and_a_failure_is_explained() -> None:
    done = run("--", sys.executable, "-c", FETCH, "0")
    assert (done.returncode, done.stderr) == (0, "")
    failed = run("--", sys.executable, "-c", FETCH, "7")
    assert failed.returncode == 7, failed.stderr
    assert "the command failed; what it did in the sandbox" in failed.stderr
    assert "GET asks for a copy of a page" in failed.stderr


@pytest.mark.parametrize(("arguments", "words"), [((), "no command to run"), (("--", "/no/such"), "cannot be run")])
def test_what_cannot_be_run_is_said(arguments: tuple[str, ...], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_signal_reaches_the_command() -> None:
    waits = "import signal; print('ready', flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-m", "sandbox", "run", "-q", "--", sys.executable, "-c", waits],
                          stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
