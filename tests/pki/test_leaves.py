"""Site certificates: right by the rules browsers check, and verified by OpenSSL."""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.pki import formats
from sandbox.pki.authority import Authority
from sandbox.pki.bad import DOMAIN, FAULTS, bad_leaf, fault_of
from sandbox.pki.crl import empty_crl
from sandbox.pki.leaves import KeyType, Leaf, Leaves
from sandbox.pki.names import BadName, normalize

CRL_URL = "http://www.sandbox.test:8080/ca.crl"


@pytest.fixture(scope="module")
def leaves(tmp_path_factory: pytest.TempPathFactory) -> Leaves:
    return Leaves(Authority.open(tmp_path_factory.mktemp("ca")), CRL_URL)


def parsed(leaf: Leaf) -> x509.Certificate:
    return x509.load_der_x509_certificate(leaf.chain[0])


def openssl(*arguments: str | Path) -> str:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def verify(folder: Path, leaves: Leaves, leaf: Leaf, *name: str) -> str:
    """What `openssl verify` says about a certificate at the strictest it can be, with the revocation list."""
    (folder / "ca.pem").write_bytes(formats.pem(leaves.authority.certificate))
    (folder / "leaf.pem").write_bytes(leaf.pem)
    (folder / "ca.crl").write_bytes(empty_crl(leaves.authority))
    openssl("crl", "-inform", "DER", "-in", folder / "ca.crl", "-out", folder / "crl.pem")
    return openssl("verify", "-x509_strict", "-purpose", "sslserver", "-crl_check", "-CRLfile", folder / "crl.pem",
                   "-CAfile", folder / "ca.pem", *name, folder / "leaf.pem")


@pytest.mark.program("openssl", "openssl")
@pytest.mark.parametrize("kind", ["ec", "rsa"])
@pytest.mark.parametrize(("name", "check"), [
    ("www.example.com", "-verify_hostname"),
    ("xn--bcher-kva.example", "-verify_hostname"),
    ("a" * 63 + ".example.org", "-verify_hostname"),
    ("127.0.0.1", "-verify_ip"),
    ("::1", "-verify_ip"),
])
def test_openssl_verifies_the_chain(leaves: Leaves, tmp_path: Path, kind: KeyType, name: str, check: str) -> None:
    assert verify(tmp_path, leaves, leaves.get(name, kind), check, name).endswith("leaf.pem: OK\n")


@pytest.mark.program("openssl", "openssl")
@pytest.mark.parametrize(("fault", "complaint"), [
    ("expired", "certificate has expired"),
    ("wrong-host", "hostname mismatch"),
    ("self-signed", "self-signed certificate"),
    ("untrusted-root", "unable to get local issuer certificate"),
])
def test_bad_certificates_are_bad_in_one_way(leaves: Leaves, tmp_path: Path, fault: str, complaint: str) -> None:
    name = f"{fault}.{DOMAIN}"
    leaf = bad_leaf(leaves, fault, name)
    assert complaint in verify(tmp_path, leaves, leaf, "-verify_hostname", name)
    san = parsed(leaf).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert (san.get_values_for_type(x509.DNSName) == [name]) is (fault != "wrong-host")


def test_faults_belong_to_names() -> None:
    assert {fault_of(f"{fault}.{DOMAIN}") for fault in FAULTS} == set(FAULTS)
    assert fault_of(DOMAIN) is None
    assert fault_of("expired.example.com") is None
    assert fault_of(f"old-tls.{DOMAIN}") is None


def test_a_certificate_keeps_the_browsers_rules(leaves: Leaves) -> None:
    certificate = parsed(leaves.get("www.example.com"))
    now = datetime.datetime.now(datetime.UTC)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc < datetime.timedelta(days=200)
    assert now - certificate.not_valid_before_utc > datetime.timedelta(hours=23)
    extensions = certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["www.example.com"]
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.SERVER_AUTH]
    point = extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0]
    assert point.full_name == [x509.UniformResourceIdentifier(CRL_URL)]
    ours = leaves.authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    theirs = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert theirs.key_identifier == ours.digest


def test_no_crl_address_where_none_is_given(leaves: Leaves) -> None:
    certificate = parsed(Leaves(leaves.authority).get("www.example.com"))
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints)


def test_a_name_too_long_for_the_subject_stands_in_the_alternative_names(leaves: Leaves) -> None:
    name = ".".join(["a" * 60] * 4)
    certificate = parsed(leaves.get(name))
    assert list(certificate.subject) == []
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical


def test_keys_are_shared_and_serial_numbers_are_not(leaves: Leaves) -> None:
    one, two = parsed(leaves.get("one.example")), parsed(leaves.get("two.example"))
    assert one.public_key() == two.public_key()
    assert one.serial_number != two.serial_number
    assert isinstance(one.public_key(), ec.EllipticCurvePublicKey)
    assert isinstance(parsed(leaves.get("one.example", "rsa")).public_key(), rsa.RSAPublicKey)


def test_a_certificate_is_issued_once_for_each_name(leaves: Leaves) -> None:
    assert leaves.get("WWW.example.com.") is leaves.get("www.example.com")
    assert leaves.get("www.example.com") is not leaves.get("www.example.com", "rsa")


@pytest.mark.parametrize(("name", "normal"), [
    ("EXAMPLE.com.", "example.com"), ("0:0:0:0:0:0:0:1", "::1"), ("127.0.0.1", "127.0.0.1"),
    ("_mta-sts.example.com", "_mta-sts.example.com"), ("localhost", "localhost"),
])
def test_names_have_one_spelling(name: str, normal: str) -> None:
    assert normalize(name) == normal


@pytest.mark.parametrize("name", [
    "", ".", "a..b", "-a.example", "a b", "a\0b", "bücher.example", "*.example.com", "a" * 64, "x." * 127 + "xy",
])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(BadName):
        normalize(name)


@given(st.text(max_size=80))
@settings(max_examples=150)
def test_any_text_is_a_name_or_a_bad_name(text: str) -> None:
    try:
        normal = normalize(text)
    except BadName:
        return
    assert normalize(normal) == normal
