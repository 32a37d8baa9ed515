"""How to make each client trust the authority: the texts behind `sandbox ca` and the page that offers it.

Pure text from four values; nothing here reads a file or a certificate.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KEEP_HTTP", "Guide", "guides"]


KEEP_HTTP = "--disable-features=HttpsUpgrades,HttpsFirstBalancedMode,HttpsFirstBalancedModeAutoEnable"
"""Chromium's switch for leaving http:// as it was typed."""

DATABASE = 'db="$HOME/.pki/nssdb"; [ -d "$db" ] || db="${XDG_DATA_HOME:-$HOME/.local/share}/pki/nssdb"'
"""Where Chromium's list is: since version 146 in the new place, unless the old one exists."""


@dataclass(frozen=True, slots=True)
class Guide:
    """What to do for one client. key: how the command line names it; undo: how to stop trusting it."""

    key: str
    title: str
    steps: tuple[str, ...]
    undo: str


def guides(folder: str, name: str, spki_hash: str, https: str = "127.0.0.1:8443") -> tuple[Guide, ...]:
    """One guide for each client. folder: with ca.pem, ca.crt and ca.p12; name: the authority's common name; https:
    where the reader reaches the service, host and port."""
    pem, crt, p12 = f"{folder}/ca.pem", f"{folder}/ca.crt", f"{folder}/ca.p12"
    return (
        Guide("firefox", "Firefox", (
            "Open Settings, Privacy & Security, Certificates, View Certificates, Authorities, Import.",
            f"Choose {pem} and tick \"Trust this CA to identify websites\".",
            "Firefox has its own list: what the system trusts does not count here.",
            "Once it trusts the authority it turns http:// into https:// by itself. To see plain HTTP, set",
            "dom.security.https_first to false in about:config.",
        ), f"In the same window, under Authorities, delete \"{name}\"."),
        Guide("chromium", "Chromium and Chrome", (
            "On Linux (package libnss3-tools), for your own user. The list is in the old place where there is one:",
            f"  {DATABASE}",
            '  [ -d "$db" ] || { mkdir -p "$db" && certutil -d "sql:$db" -N --empty-password; }',
            f"  certutil -d \"sql:$db\" -A -t C,, -n \"{name}\" -i {pem}",
            "Do not make ~/.pki/nssdb where there is none: Chromium would no longer see your own certificates.",
            "On macOS and Windows, Chrome uses the system's list: follow those steps.",
            "For one run only, in a profile of its own; certificates that are wrong on purpose are let pass, too:",
            f"  chromium --user-data-dir=/tmp/sandbox-profile {KEEP_HTTP} \\",
            f"    --ignore-certificate-errors-spki-list={spki_hash}",
            "Once it trusts the authority it turns http:// into https:// by itself. To see plain HTTP:",
            f"  chromium {KEEP_HTTP}",
        ), f"{DATABASE}; certutil -d \"sql:$db\" -D -n \"{name}\""),
        Guide("thunderbird", "Thunderbird", (
            "Open Settings, Privacy & Security, Certificates, Manage Certificates, Authorities, Import.",
            f"Choose {pem} and tick \"Trust this CA to identify websites\": it covers mail servers too.",
        ), f"In the same window, under Authorities, delete \"{name}\"."),
        Guide("curl", "curl", (
            f"  curl --cacert {pem} --connect-to ::{https} https://www.example.com/",
            f"or, for all of a shell's commands:  export CURL_CA_BUNDLE={pem}",
        ), "unset CURL_CA_BUNDLE"),
        Guide("python", "Python", (
            f"The standard library:  export SSL_CERT_FILE={pem}",
            f"requests:              export REQUESTS_CA_BUNDLE={pem}",
            f"In code:               ssl.create_default_context(cafile=\"{pem}\")",
        ), "unset SSL_CERT_FILE REQUESTS_CA_BUNDLE"),
        Guide("node", "Node.js", (
            f"  export NODE_EXTRA_CA_CERTS={pem}",
            "Node reads it once, when it starts.",
        ), "unset NODE_EXTRA_CA_CERTS"),
        Guide("java", "Java", (
            "Use a trust store that has only the sandbox in it (password: sandbox):",
            f"  java -Djavax.net.ssl.trustStore={p12} -Djavax.net.ssl.trustStorePassword=sandbox ...",
            "or add it to the one Java came with:",
            f"  keytool -importcert -cacerts -alias sandbox -file {pem} -storepass changeit -noprompt",
        ), "keytool -delete -cacerts -alias sandbox -storepass changeit"),
        Guide("debian", "Debian, Ubuntu (every program that uses the system's list)", (
            f"  sudo cp {pem} /usr/local/share/ca-certificates/sandbox.crt",
            "  sudo update-ca-certificates",
        ), "sudo rm /usr/local/share/ca-certificates/sandbox.crt && sudo update-ca-certificates --fresh"),
        Guide("macos", "macOS", (
            "  security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db \\",
            f"    {pem}",
        ), f"security delete-certificate -c \"{name}\" ~/Library/Keychains/login.keychain-db"),
        Guide("windows", "Windows", (
            "In a command prompt, for your own user (no administrator needed):",
            f"  certutil -user -addstore Root {crt}",
            "Windows shows the fingerprint and asks once.",
        ), f"certutil -user -delstore Root \"{name}\""),
    )
