"""The authority in its folder: made once, kept, and refused with advice when its files are damaged."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from sandbox.pki import ca_path, formats
from sandbox.pki.authority import Authority, AuthorityError
from sandbox.pki.crl import empty_crl


def test_made_once_and_then_loaded(tmp_path: Path) -> None:
    first = Authority.open(tmp_path / "ca")
    second = Authority.open(tmp_path / "ca")
    assert first.certificate == second.certificate
    assert first.spki_hash == second.spki_hash
    assert ca_path(tmp_path).read_bytes() == formats.pem(first.certificate)


def test_only_the_owner_can_read_the_key(tmp_path: Path) -> None:
    Authority.open(tmp_path)
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600
    (tmp_path / "ca.key").chmod(0o644)
    Authority.open(tmp_path)
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600


def test_every_format_holds_the_same_certificate(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    assert x509.load_der_x509_certificate((tmp_path / "ca.crt").read_bytes()) == authority.certificate
    store = pkcs12.load_pkcs12((tmp_path / "ca.p12").read_bytes(), formats.P12_PASSWORD.encode())
    assert [one.certificate for one in store.additional_certs] == [authority.certificate]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca.crt", "ca.key", "ca.p12", "ca.pem"]


def test_a_root_signs_sites_and_nothing_below_them(tmp_path: Path) -> None:
    extensions = Authority.open(tmp_path).certificate.extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0)
    assert extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_two_authorities_have_two_names(tmp_path: Path) -> None:
    assert Authority.open(tmp_path / "a").name != Authority.open(tmp_path / "b").name


def test_a_start_that_was_killed_halfway_is_made_good(tmp_path: Path) -> None:
    Authority.open(tmp_path)
    (tmp_path / "ca.pem").unlink()
    assert Authority.open(tmp_path).certificate == Authority.open(tmp_path).certificate


def test_several_first_starts_at_once_make_one_authority(tmp_path: Path) -> None:
    code = ("import sys, pathlib; from sandbox.pki.authority import Authority;"
            "print(Authority.open(pathlib.Path(sys.argv[1])).fingerprint)")
    starts = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "ca")], stdout=subprocess.PIPE)
              for _ in range(3)]
    assert len({start.communicate()[0] for start in starts}) == 1
    assert [start.returncode for start in starts] == [0, 0, 0]


@pytest.mark.parametrize(("file", "content", "complaint"), [
    ("ca.pem", b"no certificate", "ca.pem: cannot be read"),
    ("ca.key", b"no key", "ca.key: cannot be read"),
    ("ca.key", None, "ca.key: cannot be read"),
])
def test_damaged_files_are_named_with_what_to_do(
    tmp_path: Path, file: str, content: bytes | None, complaint: str,
) -> None:
    Authority.open(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(AuthorityError, match=complaint) as caught:
        Authority.open(tmp_path)
    assert f"Remove the folder {tmp_path}" in str(caught.value)


def test_another_authoritys_key_is_refused(tmp_path: Path) -> None:
    Authority.open(tmp_path / "a")
    Authority.open(tmp_path / "b")
    (tmp_path / "a" / "ca.key").write_bytes((tmp_path / "b" / "ca.key").read_bytes())
    with pytest.raises(AuthorityError, match="is not the key of"):
        Authority.open(tmp_path / "a")


def test_the_revocation_list_is_empty_and_signed(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    crl = x509.load_der_x509_crl(empty_crl(authority))
    assert list(crl) == []
    assert crl.is_signature_valid(authority.certificate.public_key())  # type: ignore[arg-type]  # any key type
    assert crl.next_update_utc is not None
    assert crl.next_update_utc > crl.last_update_utc


def test_cryptography_is_imported_only_when_it_is_used() -> None:
    code = "import sys, sandbox.pki, sandbox.cli.ca; print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
