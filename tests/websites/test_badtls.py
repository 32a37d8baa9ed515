"""The pages of the hosts whose TLS is wrong: one for each fault that the certificates have."""

from __future__ import annotations

from pathlib import Path

from sandbox.pki.bad import DOMAIN, FAULTS
from sandbox.websites.badtls import LESSONS
from tests.support.websites import websites


def test_there_is_a_lesson_for_each_fault() -> None:
    from sandbox.net.layers.tls.contexts import OLDEST_HOST

    assert LESSONS.keys() == {*FAULTS, OLDEST_HOST.removesuffix(f".{DOMAIN}")}


async def test_the_index_leads_to_each(tmp_path: Path) -> None:
    with websites(tmp_path) as site:
        page = (await site.get(f"http://{DOMAIN}/")).body.decode()
        for label, lesson in LESSONS.items():
            assert f'<a href="https://{label}.{DOMAIN}' in page
            told = (await site.get(f"http://{label}.{DOMAIN}/")).body.decode()
            assert lesson.firefox in told
            assert "plain HTTP" in told
        assert (await site.get(f"http://{DOMAIN}/other")).status == 404


async def test_its_names_are_in_dns(tmp_path: Path) -> None:
    from contextlib import closing

    from sandbox.world import World

    with closing(World.load(None, tmp_path)) as world:
        [domain] = [one for one in world.domains if f"{one.name}" == "example.com"]
        assert {f"{label}.badtls" for label in LESSONS} <= set(domain.hosts)
