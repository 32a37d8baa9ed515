"""Which website answers for which host name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from sandbox.world.names.domains import Domain, normal

__all__ = ["BUILTINS", "Kind", "SiteSpec", "Sites"]

Kind = Literal["builtin", "folder", "wsgi", "port", "redirect"]

BUILTINS = ("home", "api", "httpbin", "proxy", "badtls")
"""The sites that come with the sandbox: a home page, REST resources, the httpbin endpoints, the proxy set-up, and TLS
that is wrong on purpose."""


class SiteSpec(NamedTuple):
    """A website. host: a name, or a pattern: "*.example.com", or "api.*" for api in every domain of the world.

    value, by kind: builtin: one of BUILTINS; folder: an absolute path; wsgi: "module:callable", or
    "/absolute/file.py:callable"; port: the number of a port on this machine; redirect: a URL to send visitors to.
    """

    host: str
    kind: Kind
    value: str


class Sites:
    """Finds the site for a host. A site said for `example.com` serves `www.example.com` too, unless that has its own.

    A host of the world that nobody said anything about gets the built-in home page. Each person has a website under
    their login in every domain, unless the world says otherwise. Each look-up is a few dictionary look-ups, one for
    each label of the name.

    folder_of: the folder of the website of the person with this login; "" where there is no such person.
    """

    def __init__(self, sites: Iterable[SiteSpec], domains: Iterable[Domain],
                 folder_of: Callable[[str], str] = lambda login: "") -> None:
        self.version = 0
        """Rises when another site may be found for a host than before."""
        self._folder_of = folder_of
        self._sites = {site.host: site for site in sites}
        self._domains = {domain.name: domain for domain in domains}
        self._hosts = {f"{host}.{domain.name}" for domain in self._domains.values() for host in domain.hosts}

    def __iter__(self) -> Iterator[SiteSpec]:
        return iter(self._sites.values())

    def add_domain(self, domain: Domain) -> None:
        """A domain more, or one in the place of another of its name."""
        self._domains[domain.name] = domain
        self._hosts |= {f"{host}.{domain.name}" for host in domain.hosts}
        self.version += 1

    def add(self, site: SiteSpec) -> None:
        """A site more, or one in the place of another of its host."""
        self._sites[site.host] = site
        self.version += 1

    def find(self, host: str) -> SiteSpec | None:
        """The site for a host's name, in any case, with or without a final dot. None: the world has no such host."""
        host = normal(host)
        if exact := self._sites.get(host):
            return exact
        labels = host.split(".")
        parents = [".".join(labels[count:]) for count in range(1, len(labels))]
        inside = host in self._domains or any(parent in self._domains for parent in parents)
        if labels[0] == "www" and parents and (apex := self._sites.get(parents[0])):
            return apex
        if inside and host in self._hosts and (same_label := self._sites.get(f"{labels[0]}.*")):
            return same_label
        for parent in parents:
            if pattern := self._sites.get(f"*.{parent}"):
                return pattern
        if host not in self._hosts and (own := self._own_site(host, parents)):
            return own
        known = host in self._domains or host in self._hosts or any(
            f"*.{parent}" in self._hosts for parent in parents)
        return SiteSpec(host, "builtin", "home") if known else None

    def _own_site(self, host: str, parents: list[str]) -> SiteSpec | None:
        """The website of a person, whose login may have dots in it too."""
        for parent in parents:
            if parent in self._domains:
                folder = self._folder_of(host.removesuffix(f".{parent}"))
                return SiteSpec(host, "folder", folder) if folder else None
        return None
