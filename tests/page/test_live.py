"""The live list: what happens appears, what one reads stays, and everything can be done with the keyboard."""

from __future__ import annotations

import http.client
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.live import PATIENCE, Up, up

pytestmark = pytest.mark.program("chromium", "chromium")

TIMELY = 1.5
"""Seconds from an exchange to its row, on a machine that has other things to do (measured: see the benchmarks)."""


def opened(page: Page, sandbox: Up, text: str = "") -> None:
    page.goto(f"{sandbox.url}/{f'?filter={quote(text)}' if text else ''}")
    expect(page.locator("#status")).to_contain_text("connected")


def row(page: Page, text: str) -> Locator:
    return page.locator(".row").filter(has_text=text)


def test_a_row_appears_while_it_is_news(page: Page, sandbox: Up) -> None:
    opened(page, sandbox)
    page.evaluate("""() => { window.seen = new Promise((done) => new MutationObserver(() => {
        if (document.querySelector('.space').textContent.includes('/just-now')) done(Date.now() / 1000);
      }).observe(document.querySelector('.space'), {childList: true, subtree: true})); }""")
    sandbox.get("/just-now")
    seen = page.evaluate("window.seen")
    ended = sandbox.rows("path:/just-now", 1)[0]["ended"]
    assert 0 <= seen - ended < TIMELY


def test_everything_by_keyboard_alone(page: Page, sandbox: Up) -> None:
    sandbox.get("/first-by-key")
    sandbox.get("/second-by-key")
    opened(page, sandbox, "path:/*-by-key")
    expect(row(page, "/second-by-key")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".detail-head h2")).to_contain_text("/first-by-key")
    page.keyboard.press("2")
    expect(page.get_by_role("tab", name="Bytes")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("e")
    expect(page.locator(".annotated").first).to_contain_text("request line")
    page.keyboard.press("k")
    expect(page.locator(".detail-head h2")).to_contain_text("/second-by-key")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(page.locator(".row.chosen")).to_contain_text("/second-by-key")
    assert page.evaluate("document.activeElement.className") == "list"
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "filter"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.keyboard.press("p")
    expect(page.locator(".projector")).to_be_visible()


@pytest.mark.usefixtures("forgiven")
def test_a_filter_says_its_meaning_and_where_it_is_wrong_and_keeps_the_last_good_one(page: Page, sandbox: Up) -> None:
    opened(page, sandbox)
    box = page.locator("#filter")
    box.fill("protocol:dns")
    expect(page.locator("#filter-words")).to_contain_text("protocol is dns")
    expect(row(page, "dns").first).to_be_visible()
    expect(row(page, "http")).to_have_count(0)
    box.fill("protocol:dns outcom:4xx")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#filter-words")).to_contain_text("outcom")
    expect(page.locator("#filter-words .at")).to_contain_text("outcom:4xx")
    expect(row(page, "dns").first).to_be_visible()
    box.fill("outc")
    expect(page.locator("#suggestions")).to_contain_text("outcome:")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box).to_have_value("outcome:")


def test_none_found_is_not_an_empty_journal(page: Page, sandbox: Up) -> None:
    opened(page, sandbox, 'asked:"a text that is nowhere"')
    expect(page.locator(".list-note")).to_contain_text("Nothing that fits, in the whole journal")
    expect(page.locator(".empty")).to_have_count(0)


def test_an_empty_journal_invites(page: Page, own: Up) -> None:
    opened(page, own)
    expect(page.locator(".empty")).to_contain_text(f"curl http://127.0.0.1:{own.ports['http']}/")
    own.get("/hello")
    expect(row(page, "/hello")).to_be_visible()
    expect(page.locator(".empty")).to_have_count(0)


def test_clicking_a_word_narrows_and_saved_filters_are_offered(page: Page, sandbox: Up) -> None:
    sandbox.get("/narrow", "narrow.example.com")
    opened(page, sandbox, "path:/narrow")
    row(page, "/narrow").first.locator(".host").click()
    expect(page.locator("#filter")).to_have_value("path:/narrow host:narrow.example.com")
    expect(page).to_have_url(f"{sandbox.url}/?filter=path%3A%2Fnarrow+host%3Anarrow.example.com")
    page.get_by_role("button", name="Keep this filter").click()
    page.get_by_role("button", name="Empty the filter").click()
    expect(page.locator("#filter")).to_have_value("")
    page.locator("#filter").click()
    expect(page.locator("#suggestions li").first).to_contain_text("path:/narrow host:narrow.example.com")


def test_what_is_new_waits_while_one_reads_further_down(page: Page, own: Up) -> None:
    for number in range(120):
        own.look_up(f"n{number}.example.com")
    opened(page, own)
    expect(row(page, "n119.example.com")).to_be_visible()
    page.evaluate("document.querySelector('.list').scrollTop = 1600")
    expect(row(page, "n119.example.com")).to_have_count(0)
    first = page.evaluate(TOP_ROW)
    for number in range(12):
        own.look_up(f"new{number}.example.com")
    expect(page.locator(".chip")).to_have_text("12 new", timeout=PATIENCE)
    assert page.evaluate(TOP_ROW) == first
    page.locator(".chip").click()
    expect(row(page, "new11.example.com")).to_be_visible()
    expect(page.locator(".chip")).to_be_hidden()


TOP_ROW = """() => { const list = document.querySelector('.list').getBoundingClientRect();
  return [...document.querySelectorAll('.row')].map((one) => [one.getBoundingClientRect().top - list.top, one])
    .filter(([top]) => top > -5).sort((a, b) => a[0] - b[0])[0][1].querySelector('.asked').textContent; }"""


def test_repeats_are_folded_and_browsers_own_traffic_is_hidden(page: Page, own: Up) -> None:
    for _ in range(4):
        own.get("/poll")
    own.get("/generate_204", "clients3.google.com")
    opened(page, own)
    expect(row(page, "/poll")).to_have_count(1)
    expect(row(page, "/poll")).to_contain_text("\u00d7 4")
    expect(row(page, "generate_204")).to_have_count(0)
    row(page, "/poll").locator(".times").click()
    expect(row(page, "/poll")).to_have_count(4)
    page.get_by_role("button", name="browsers\u2019 own").click()
    expect(row(page, "generate_204")).to_have_count(1)
    assert "own=1" in page.url


def test_what_is_under_way_is_shown_as_such(page: Page, sandbox: Up) -> None:
    opened(page, sandbox)
    client = http.client.HTTPConnection("127.0.0.1", sandbox.ports["http"], timeout=10)
    client.request("GET", "/delay/2", headers={"Host": "httpbin.org"})
    expect(page.locator(".under-way")).to_contain_text("/delay/2")
    client.getresponse().read()
    client.close()
    expect(page.locator(".under-way")).not_to_contain_text("/delay/2")
    expect(row(page, "/delay/2")).to_have_count(1)


def test_back_goes_to_the_same_row(page: Page, sandbox: Up) -> None:
    page.set_viewport_size({"width": 900, "height": 700})
    sandbox.get("/go-back")
    opened(page, sandbox)
    row(page, "/go-back").first.locator(".what svg").click()
    expect(page.locator(".detail-head h2")).to_contain_text("/go-back")
    page.go_back()
    expect(page.locator("#detail")).to_be_hidden()
    expect(row(page, "/go-back").first).to_be_visible()


def test_a_telephone_has_the_filter_behind_one_tap_and_five_symbols(page: Page, sandbox: Up) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    opened_on_phone = f"{sandbox.url}/?filter=protocol%3Adns"
    page.goto(opened_on_phone)
    expect(page.locator(".row").first).to_be_visible()
    expect(page.locator("#filter")).to_be_hidden()
    page.get_by_role("button", name="Filter protocol:dns").click()
    expect(page.locator("#filter")).to_be_visible()
    assert page.locator("#rail .place:visible").count() == 5
    page.get_by_role("button", name="More").click()
    page.get_by_role("link", name="Services").click()
    expect(page.locator("#main")).to_contain_text("submission")


def test_the_projector_follows_in_large_type(page: Page, sandbox: Up) -> None:
    with page.expect_response(lambda answer: "/events" in answer.url):
        page.goto(f"{sandbox.url}/projector")
    expect(page.locator(".invite")).to_be_visible()
    sandbox.get("/on-the-wall")
    expect(page.locator(".projector .now")).to_contain_text("/on-the-wall")
    size = page.locator(".projector .sentence").evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)")
    assert size >= 28


@pytest.mark.usefixtures("forgiven")
def test_a_page_goes_on_after_the_sandbox_was_started_anew(page: Page, tmp_path: Path) -> None:
    with up(tmp_path) as first:
        port = urlsplit(first.url).port
        assert port is not None
        first.get("/before-the-break")
        opened(page, first)
        expect(row(page, "/before-the-break")).to_be_visible()
        first.stop()
        expect(page.locator("#status")).to_contain_text("has stopped")
        expect(row(page, "/before-the-break")).to_be_visible()
    with up(tmp_path, port) as again:
        again.get("/after-the-break")
        expect(page.locator("#status")).to_contain_text("connected", timeout=PATIENCE)
        expect(row(page, "/after-the-break")).to_have_count(1)
        expect(row(page, "/before-the-break")).to_have_count(1)


@pytest.mark.usefixtures("forgiven")
def test_a_page_that_missed_much_says_so_and_begins_at_the_end_of_the_journal(page: Page, own: Up) -> None:
    own.get("/long-ago")
    opened(page, own)
    page.evaluate(HIDDEN, True)      # a hidden tab lets go of its stream
    for number in range(620):
        own.look_up(f"m{number}.example.com")
    page.evaluate(HIDDEN, False)
    expect(row(page, "m619.example.com")).to_be_visible()
    expect(page.locator(".list-note")).to_contain_text("came while this page did not look")
    own.get("/after-the-gap")
    expect(row(page, "/after-the-gap")).to_have_count(1)


HIDDEN = """(hidden) => { Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
  document.dispatchEvent(new Event('visibilitychange')); }"""
