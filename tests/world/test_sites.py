"""Which site answers for which host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.world.names.domains import Domain
from sandbox.world.sites import Sites, SiteSpec

SITES = Sites(
    [SiteSpec("shop.test", "folder", "/shop"), SiteSpec("www.own.test", "folder", "/own"),
     SiteSpec("own.test", "folder", "/apex"), SiteSpec("api.*", "builtin", "api"),
     SiteSpec("api.shop.test", "port", "5000"), SiteSpec("*.wild.test", "folder", "/wild"),
     SiteSpec("*.deep.wild.test", "folder", "/deep")],
    [Domain("shop.test", ("www", "mail", "api")), Domain("own.test", ("www", "api")),
     Domain("wild.test", ("*", "*.deep", "api")), Domain("star.test", ("*",))])


@pytest.mark.parametrize(("host", "value"), [
    ("shop.test", "/shop"),
    ("SHOP.test.", "/shop"),
    ("www.shop.test", "/shop"),
    ("mail.shop.test", "home"),
    ("api.shop.test", "5000"),
    ("api.own.test", "api"),
    ("www.own.test", "/own"),
    ("anything.wild.test", "/wild"),
    ("a.b.wild.test", "/wild"),
    ("a.deep.wild.test", "/deep"),
    ("wild.test", "home"),
    ("anything.star.test", "home"),
    ("nobody.shop.test", None),
    ("api.elsewhere.test", None),
    ("api", None),
    ("test", None),
    ("", None),
    ("127.0.0.1", None),
    ("..", None),
])
def test_finding(host: str, value: str | None) -> None:
    found = SITES.find(host)
    assert (found.value if found else None) == value


@given(st.text(max_size=80))
def test_any_host_can_be_asked_for(host: str) -> None:
    found = SITES.find(host)
    assert found is None or isinstance(found, SiteSpec)
