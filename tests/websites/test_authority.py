"""The authority's files and page under every host."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from sandbox.pki.trust import guides
from tests.support.websites import websites


@pytest.mark.parametrize("host", ["www.example.com", "ca.sandbox.test", "127.0.0.1", "nobody.knows.test"])
async def test_every_host_has_the_certificate(tmp_path: Path, host: str) -> None:
    with websites(tmp_path) as site:
        pem = await site.get(f"http://{host}/ca.pem")
        crt = await site.get(f"http://{host}/ca.crt")
        p12 = await site.get(f"http://{host}/ca.p12")
    assert [reply.headers.get("content-type") for reply in (pem, crt, p12)] == [
        "application/x-pem-file", "application/x-x509-ca-cert", "application/x-pkcs12"]
    certificate = x509.load_pem_x509_certificate(pem.body)
    assert x509.load_der_x509_certificate(crt.body) == certificate
    assert pkcs12.load_pkcs12(p12.body, b"sandbox").additional_certs[0].certificate == certificate


async def test_the_revocations_are_signed_and_empty(tmp_path: Path) -> None:
    with websites(tmp_path) as site:
        reply = await site.get("http://ca.sandbox.test/ca.crl")
        authority = x509.load_pem_x509_certificate((await site.get("http://h/ca.pem")).body)
        again = await site.get("http://ca.sandbox.test/ca.crl")
    assert reply.headers.get("content-type") == "application/pkix-crl"
    found = x509.load_der_x509_crl(reply.body)
    assert found.is_signature_valid(authority.public_key())  # type: ignore[arg-type]
    assert len(found) == 0
    assert again.body == reply.body, "signed once a day, not for each visitor"


async def test_the_page_says_how_to_trust_it(tmp_path: Path) -> None:
    with websites(tmp_path) as site:
        page = (await site.get("http://www.example.com/ca")).body.decode()
    for guide in guides("", "", ""):
        assert f"<h3>{html.escape(guide.title)}</h3>" in page
    assert str(tmp_path / "ca" / "ca.pem") in page
    assert "-----BEGIN" not in page


async def test_many_visitors_at_once_make_one_authority(tmp_path: Path) -> None:
    found: list[bytes] = []
    with websites(tmp_path) as site:
        async def visit() -> None:
            found.append((await site.get("http://h/ca.pem")).body)

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(visit)
    assert len(set(found)) == 1


async def test_it_can_only_be_read(tmp_path: Path) -> None:
    with websites(tmp_path) as site:
        assert (await site.post("http://h/ca.pem", b"mine")).status == 405
    assert not (tmp_path / "ca").exists(), "nothing is made for who asks wrongly"


async def test_its_steps_can_be_copied_as_they_are_shown(tmp_path: Path) -> None:
    with websites(tmp_path) as site:
        page = (await site.get("http://192.168.1.5:8080/ca")).body.decode()
    steps = [html.unescape(one) for one in re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)]
    assert any('tick "Trust this CA to identify websites"' in one for one in steps)
    assert any("--connect-to ::192.168.1.5:" in one for one in steps), "the address is one the reader can use"
    assert "&amp;amp;" not in page
    assert "&amp;quot;" not in page
