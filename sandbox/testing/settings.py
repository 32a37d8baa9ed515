"""What programs and libraries are given so that they use a space: one call for each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["Settings", "environment"]

LOCAL = "127.0.0.1,localhost,::1"
"""What is asked for directly: this machine itself, and with it the sandbox's live page."""
MAIL = ("submission", "smtp")
"""The services that take mail from programs, the better first."""

Services = Mapping[str, tuple[str, int]]


class Settings:
    """services: by name, where they are; ca: the file to trust; login, password: of whom mail is sent as."""

    def __init__(self, services: Services, ca: Path, login: str = "alice", password: str = "wonderland") -> None:
        self._services = services
        self._ca = ca
        self._login, self._password = login, password

    @property
    def proxy(self) -> str:
        """An HTTP proxy behind which every name leads into the space."""
        return "http://{}:{}".format(*self._services["http"])

    def django(self, *, login: bool = False) -> dict[str, Any]:
        """Names and values for Django's settings: mail by SMTP. login: as a person, over submission."""
        host, port = self._mail(login)
        return {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": host,
                "EMAIL_PORT": port, "EMAIL_USE_TLS": False, "EMAIL_USE_SSL": False, "EMAIL_TIMEOUT": 10,
                "EMAIL_HOST_USER": self._login if login else "",
                "EMAIL_HOST_PASSWORD": self._password if login else ""}

    def flask_mail(self, *, login: bool = False) -> dict[str, Any]:
        """Names and values for Flask-Mail's and Flask-Mailman's configuration."""
        host, port = self._mail(login)
        return {"MAIL_SERVER": host, "MAIL_PORT": port, "MAIL_USE_TLS": False, "MAIL_USE_SSL": False,
                "MAIL_USERNAME": self._login if login else None, "MAIL_PASSWORD": self._password if login else None,
                "MAIL_SUPPRESS_SEND": False}

    def smtplib(self) -> dict[str, Any]:
        """Arguments of smtplib.SMTP."""
        host, port = self._mail(False)
        return {"host": host, "port": port, "timeout": 10}

    def requests(self) -> dict[str, Any]:
        """Arguments of requests.get and of its like; for a session, attributes."""
        return {"proxies": {"http": self.proxy, "https": self.proxy}, "verify": str(self._ca)}

    def httpx(self) -> dict[str, Any]:
        """Arguments of httpx.Client and httpx.AsyncClient."""
        import ssl
        return {"proxy": self.proxy, "verify": ssl.create_default_context(cafile=str(self._ca)), "trust_env": False}

    def environment(self) -> dict[str, str]:
        """Variables that programs of many languages read; see `environment`."""
        return environment(self._services, self._ca)

    def _mail(self, login: bool) -> tuple[str, int]:
        return next(self._services[name] for name in (MAIL if login else MAIL[::-1]) if name in self._services)


def environment(services: Services, ca: Path | None) -> dict[str, str]:
    """Where each service is (SANDBOX_SMTP_HOST, SANDBOX_SMTP_PORT ...), the proxy, and the authority in the variables
    that curl, Git, Go, Java, Node, Python and Ruby read. ca: None for no authority."""
    found: dict[str, str] = {}
    for name, (host, port) in services.items():
        word = name.upper().replace("-", "_")
        found |= {f"SANDBOX_{word}_HOST": host, f"SANDBOX_{word}_PORT": str(port)}
    java = []
    if "http" in services:
        host, port = services["http"]
        proxy = f"http://{host}:{port}"
        found |= {name: proxy for lower in ("http_proxy", "https_proxy") for name in (lower, lower.upper())}
        found |= {"no_proxy": LOCAL, "NO_PROXY": LOCAL, "NODE_USE_ENV_PROXY": "1"}
        java += [f"-D{scheme}.proxy{what}" for scheme in ("http", "https")
                 for what in (f"Host={host}", f"Port={port}")]
    if "smtp" in services:
        host, port = services["smtp"]
        found |= {"SMTP_HOST": host, "SMTP_PORT": str(port)}
    if "dns" in services:
        found["SANDBOX_RESOLVER"] = "{}:{}".format(*services["dns"])
    if ca is not None:
        # OpenSSL, and with it Python and Ruby, reads SSL_CERT_FILE, and so does Go.
        found |= dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
                                "GIT_SSL_CAINFO", "SANDBOX_CA"), str(ca))
        java += [f"-Djavax.net.ssl.trustStore={ca.with_suffix('.p12')}",
                 "-Djavax.net.ssl.trustStorePassword=sandbox"]
    if java:
        found["JAVA_TOOL_OPTIONS"] = " ".join(java)
    return found
