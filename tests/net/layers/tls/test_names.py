"""The registries: complete, consistent, and every suite taken apart into parts."""

from __future__ import annotations

import ssl

import pytest

from sandbox.net.layers.tls import names
from sandbox.net.layers.tls.names import SuiteParts


@pytest.mark.parametrize("registry", ["suites", "extensions", "groups", "schemes", "alerts"])
def test_no_number_and_no_name_stands_twice(registry: str) -> None:
    table = names.table(registry)
    assert len(names.number_of(registry)) == len(table)
    assert list(table) == sorted(table)


def test_every_suite_openssl_has_is_known_by_the_same_strength() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    assert len(context.get_ciphers()) > 50
    for one in context.get_ciphers():
        name = names.suite(int(one["id"]) & 0xFFFF)
        assert name.startswith("TLS_"), one
        assert str(one["alg_bits"]) in name or one["alg_bits"] == 0 or "CHACHA20" in name, (name, one)


def test_what_no_table_knows_is_written_as_it_is() -> None:
    assert names.suite(0xFEFE) == "0xFEFE"
    assert names.alert(200) == "0xC8"
    assert names.version(0x7F1C) == "0x7F1C"


def test_grease() -> None:
    found = [number for number in range(0x10000) if names.is_grease(number)]
    assert found == [0x0A0A + 0x1010 * step for step in range(16)]
    assert {names.suite(found[3]), names.group(found[0]), names.version(found[9])} == {"GREASE"}


@pytest.mark.parametrize(("name", "parts"), [
    ("TLS_AES_128_GCM_SHA256", SuiteParts("", "", "AES_128", "GCM", "SHA256")),
    ("TLS_CHACHA20_POLY1305_SHA256", SuiteParts("", "", "CHACHA20_POLY1305", "", "SHA256")),
    ("TLS_AES_128_CCM_8_SHA256", SuiteParts("", "", "AES_128", "CCM_8", "SHA256")),
    ("TLS_SM4_GCM_SM3", SuiteParts("", "", "SM4", "GCM", "SM3")),
    ("TLS_AEGIS_128L_SHA256", SuiteParts("", "", "AEGIS_128L", "", "SHA256")),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", SuiteParts("ECDHE", "ECDSA", "AES_256", "GCM", "SHA384")),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CCM", SuiteParts("ECDHE", "ECDSA", "AES_128", "CCM", "")),
    ("TLS_RSA_WITH_AES_128_CBC_SHA", SuiteParts("RSA", "RSA", "AES_128", "CBC", "SHA")),
    ("TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5", SuiteParts("RSA", "RSA", "RC2_40", "CBC", "MD5")),
    ("TLS_DH_anon_EXPORT_WITH_RC4_40_MD5", SuiteParts("DH", "anon", "RC4_40", "", "MD5")),
    ("TLS_KRB5_EXPORT_WITH_DES_CBC_40_SHA", SuiteParts("KRB5", "KRB5", "DES40", "CBC", "SHA")),
    ("TLS_RSA_PSK_WITH_NULL_SHA384", SuiteParts("RSA", "PSK", "NULL", "", "SHA384")),
    ("TLS_PSK_DHE_WITH_AES_128_CCM_8", SuiteParts("DHE", "PSK", "AES_128", "CCM_8", "")),
    ("TLS_SRP_SHA_RSA_WITH_3DES_EDE_CBC_SHA", SuiteParts("SRP", "RSA", "3DES_EDE", "CBC", "SHA")),
    ("TLS_SHA256_SHA256", SuiteParts("", "", "NULL", "", "SHA256")),
    ("TLS_NULL_WITH_NULL_NULL", SuiteParts("NULL", "NULL", "NULL", "", "")),
    ("TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC", SuiteParts("GOST", "GOST", "KUZNYECHIK", "CTR_OMAC", "")),
    ("TLS_FALLBACK_SCSV", SuiteParts()),
    ("0xFEFE", SuiteParts()),
    ("GREASE", SuiteParts()),
])
def test_suites_by_their_parts(name: str, parts: SuiteParts) -> None:
    assert names.suite_parts(name) == parts


def test_every_registered_suite_has_a_cipher() -> None:
    for name in names.table("suites").values():
        assert names.suite_parts(name).cipher or name.endswith("_SCSV"), name
