"""Numbers for Prometheus."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import trio
from prometheus_client.parser import text_string_to_metric_families

from tests.support.dashboard import VISITOR, Page, live_page


async def numbers(page: Page) -> dict[tuple[str, ...], float]:
    reply = await page.ask("GET", "/metrics")
    assert reply.status == 200, reply.body
    assert reply.headers["content-type"].startswith("text/plain; version=")
    return {(sample.name, *(value for _, value in sorted(sample.labels.items(), reverse=True))): sample.value
            for family in text_string_to_metric_families(reply.body.decode()) for sample in family.samples}


async def fetch(page: Page, path: str) -> None:
    http = page.sandbox.endpoints["http"]

    def work() -> None:
        try:
            with urllib.request.urlopen(f"http://{http}{path}", timeout=20) as response:
                response.read()
        except urllib.error.HTTPError as error:
            error.close()

    await trio.to_thread.run_sync(work)
    await page.sandbox.journal.settle()


async def test_exchanges_are_counted_by_protocol_and_outcome_from_the_start(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        await fetch(page, "/")
        await fetch(page, "/nowhere")
        found = await numbers(page)
        assert found["sandbox_exchanges_total", "http", "200"] == 1
        assert found["sandbox_exchanges_total", "http", "404"] == 1
        await fetch(page, "/nowhere")
        found = await numbers(page)
        assert found["sandbox_exchanges_total", "http", "404"] == 2
        assert found["sandbox_journal_bytes",] > 4096
        assert found["sandbox_start_time_seconds",] > 1e9
        assert 0 < found["sandbox_loop_lag_seconds",] < 5
        assert found["process_resident_memory_bytes",] > 1e6


async def test_what_was_in_the_data_folder_before_does_not_count(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        await fetch(page, "/")
    async with live_page(tmp_path, "http") as page:
        await fetch(page, "/nowhere")
        found = await numbers(page)
        assert ("sandbox_exchanges_total", "http", "200") not in found
        assert found["sandbox_exchanges_total", "http", "404"] == 1


async def test_open_sessions_are_told(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        http = page.sandbox.endpoints["http"]
        async with await trio.open_tcp_stream(http.host, http.port) as client:
            await client.send_all(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
            await client.receive_some()
            assert (await numbers(page))["sandbox_sessions_open",] == 1


async def test_a_visitor_gets_them_with_the_token_alone(tmp_path: Path) -> None:
    async with live_page(tmp_path, "http") as page:
        assert (await page.ask("GET", "/metrics", source=VISITOR)).status == 403
        headers = {"Authorization": f"Bearer {page.token}"}
        assert (await page.ask("GET", "/metrics", source=VISITOR, headers=headers)).status == 200
        assert (await page.ask("POST", "/metrics", b"")).status == 405


def test_the_library_is_not_imported_before_somebody_asks() -> None:
    code = ("import sys, sandbox.dashboard.service, sandbox.dashboard.site, sandbox.dashboard.board\n"
            "from sandbox.dashboard.site import operations; operations()\n"
            "assert 'prometheus_client' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
