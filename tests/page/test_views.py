"""Each view in a real browser: it shows what it is for, keeps nobody out, and the console stays empty."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.live import AXE, PATIENCE, Up, Watched, visit

ColorScheme = Literal["light", "dark"]
pytestmark = pytest.mark.program("chromium", "chromium")

VIEWS = {
    "/": "echo", "/mail/alice/INBOX": "Tea at four", "/files/homes/alice": "www", "/names": "example.com",
    "/services": "submission", "/faults": "There are no rules", "/setup/firefox": "proxy.pac",
    "/setup/android": "PAC", "/session/1": "Session 1", "/projector": "Leave", "/learn": "Learn", "/labs": "Labs",
}
LOOKS = [(1280, "light", True), (1280, "dark", False), (768, "light", False), (390, "dark", True),
         (390, "light", False)]
"""Width in pixels, theme, and whether axe-core looks too, which takes its time."""


KINDS = [("http", "POST"), ("http", "TLS"), ("dns", "MX"), ("smtp", "message"), ("imap", "FETCH"), ("ftp", "PASS"),
         ("pop3", "PASS"), ("tcp", "echo")]


def serious(page: Page) -> list[str]:
    """What axe-core finds, of consequence."""
    page.evaluate(f"window.axe || (() => {{ {AXE} }})()")
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [f"{one['id']}: {one['help']} {[node['html'][:160] for node in one['nodes'][:3]]}" for one in found
            if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize(("width", "scheme", "searched"), LOOKS)
def test_every_view_in_every_width_and_theme(browser: Browser, sandbox: Up, width: int, scheme: ColorScheme,
                                                  searched: bool) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme,
                                  reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    watched = Watched(context.new_page())
    page = watched.page
    problems = []
    page.goto(sandbox.url)
    for path, words in VIEWS.items():
        visit(page, path)
        expect(page.locator("#main")).to_contain_text(words, timeout=PATIENCE)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} is wider than the screen"
        problems += [f"{path}: {one}" for one in serious(page)] if searched else []
    context.close()
    assert problems == []
    assert watched.complaints == []


@pytest.mark.parametrize("tab", ["", "explained", "bytes", "wire", "connection"])
def test_an_exchange_in_every_way_of_looking(page: Page, sandbox: Up, tab: str) -> None:
    newest = {(row["protocol"], row["verb"]): row["id"] for row in reversed(sandbox.rows())}
    page.goto(sandbox.url)
    for protocol, verb in KINDS:
        visit(page, f"/?exchange={newest[protocol, verb]}&tab={tab}")
        expect(page.locator(".detail-head h2")).to_contain_text(verb)
        expect(page.locator("#tab-body")).not_to_be_empty()
        expect(page.locator("#tab-body")).not_to_have_text("…")
    assert serious(page) == []


def test_a_visitor_of_the_page_learns_what_each_octet_is(page: Page, sandbox: Up) -> None:
    row = sandbox.rows("verb:MX", 1)[0]
    page.goto(f"{sandbox.url}/?exchange={row['id']}&tab=bytes")
    page.locator(".dump").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".pointing .path")).to_contain_text("id")
    page.locator('.glyphs i[data-o="14"]').first.hover()
    expect(page.locator(".pointing .path")).to_contain_text("label")
    lit = page.locator(".hex i.lit").first
    expect(lit).to_be_visible()


def test_a_password_in_clear_is_named_and_an_encrypted_one_is_not_shown(page: Page, sandbox: Up) -> None:
    row = sandbox.rows("service:pop3 verb:PASS", 1)[0]
    page.goto(f"{sandbox.url}/?exchange={row['id']}&tab=wire")
    expect(page.locator("mark.secret")).to_have_text("wonderland")
    expect(page.locator(".secrets")).to_contain_text("your password of alice, readable")
    expect(page.locator(".twin")).to_contain_text("pop3s")
    row = sandbox.rows("service:submission verb:AUTH", 1)[0]
    page.goto(f"{sandbox.url}/?exchange={row['id']}&tab=wire")
    expect(page.locator(".lead")).to_contain_text("noise")
    expect(page.locator("mark.secret")).to_have_count(0)


def test_basic_authentication_is_read_aloud(page: Page, sandbox: Up) -> None:
    row = sandbox.rows("host:httpbin.org path:/json", 1)[0]
    page.goto(f"{sandbox.url}/?exchange={row['id']}&tab=wire")
    expect(page.locator(".secret-note")).to_contain_text("alice:wonderland")


def test_a_letter_is_shown_sent_and_never_runs_anything(page: Page, sandbox: Up) -> None:
    page.goto(f"{sandbox.url}/mail/alice/INBOX")
    page.locator(".letter-line").filter(has_text="Tea at four").first.click()
    frame = page.frame_locator(".mail-frame")
    expect(frame.locator("h1")).to_have_text("Tea")
    assert page.locator(".mail-frame").get_attribute("sandbox") == ""
    expect(page.locator(".code-found")).to_have_text("482913")
    page.get_by_role("tab", name="Way").click()
    expect(page.locator(".way")).to_contain_text("smtp")
    page.get_by_role("button", name="Write a letter").click()
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".letter .good")).to_contain_text("Sent over real SMTP")
    page.get_by_role("button", name="See the dialogue").click()
    expect(page.locator(".list")).to_contain_text("MAIL")


def test_a_name_is_looked_up_field_by_field(page: Page, sandbox: Up) -> None:
    page.goto(f"{sandbox.url}/names")
    page.get_by_label("Look up").fill("example.com")
    page.get_by_label("Type").select_option("MX")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator(".fields").first).to_contain_text("QDCOUNT")
    expect(page.locator("#main")).to_contain_text("10 mail.example.com.")


def test_a_page_of_the_world_leads_to_its_own_exchanges(page: Page, sandbox: Up) -> None:
    page.goto(f"http://www.example.com.localhost:{sandbox.ports['http']}/forms")
    page.get_by_role("link", name="What just happened").click()
    expect(page.locator(".detail-head h2")).to_contain_text("/forms")
    assert "filter=client" in page.url


def test_the_token_leaves_the_address_and_a_wrong_one_says_so(watched: Watched, sandbox: Up) -> None:
    page = watched.page
    page.goto(f"{sandbox.url}/services#token={sandbox.token}")
    expect(page.locator("#main")).to_contain_text("submission")
    assert page.url == f"{sandbox.url}/services"
    page.goto(f"{sandbox.url}/mail#token=wrong")
    expect(page.locator("#help")).to_contain_text("not this sandbox's token")
    assert "#" not in page.url
    watched.complaints.clear()      # the browser itself says that the sandbox refused


def test_the_policy_forbids_what_the_page_does_not_need(page: Page, sandbox: Up) -> None:
    answer = page.goto(f"{sandbox.url}/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
