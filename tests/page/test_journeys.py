"""Journeys, their drawings, and the words of a course, in a real browser, of real mail, dig and pages."""

from __future__ import annotations

import imaplib
import re
import smtplib
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.test_views import LOOKS, ColorScheme, serious
from tests.support.live import PATIENCE, Up, Watched, trust_nobody, up

pytestmark = [pytest.mark.program("chromium", "chromium"), pytest.mark.program("dig", "bind9-dnsutils")]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A sandbox of this file's own, with a walk and a letter: other files count on what theirs was asked last."""
    with up(tmp_path_factory.mktemp("told")) as running:
        walk(running, "www.example.com")
        letter(running, "In every width")
        yield running


def walk(sandbox: Up, name: str) -> None:
    subprocess.run(["dig", "@127.0.0.1", "-p", str(sandbox.ports["dns"]), "+trace", name], check=True,
                   capture_output=True, timeout=20)


def letter(sandbox: Up, subject: str) -> None:
    """Alice hands it in, the sandbox carries it to Bob's server, and Bob fetches it by IMAP."""
    with smtplib.SMTP("127.0.0.1", sandbox.ports["submission"], timeout=10) as smtp:
        smtp.starttls(context=trust_nobody())
        smtp.login("alice", "wonderland")
        smtp.sendmail("alice@example.com", ["bob@example.org"], f"Subject: {subject}\r\n\r\nHello\r\n".encode())
    wanted = {"filter": "service:smtp verb:message recipients:bob@example.org", "count": 1, "since": 0, "timeout": 10}
    assert sandbox.post("wait", wanted)["exchanges"]
    with imaplib.IMAP4("127.0.0.1", sandbox.ports["imap"], timeout=10) as imap:
        imap.login("bob", "builder")
        imap.select("INBOX")
        number = imap.search(None, "SUBJECT", f'"{subject}"')[1][0].split()[-1].decode()
        imap.fetch(number, "(BODY[])")


def test_a_walk_appears_by_itself_and_is_drawn(own: Up, page: Page) -> None:
    page.goto(f"{own.url}/journeys")
    expect(page.locator("#main")).to_contain_text("No journey yet")
    walk(own, "www.example.com")
    card = page.locator(".journey")
    expect(card).to_have_count(1)
    expect(card.locator("h2")).to_have_text("A www.example.com")
    expect(card).to_contain_text("probably: follows the referral")
    card.get_by_text("As a map").click()
    expect(card.locator("svg.map .box")).to_have_count(5)
    expect(card.locator("figcaption li")).to_have_text([
        "where it began: NS .? 127.53.0.1.", "root server: A www.example.com? com. NS 127.53.0.2.",
        "TLD server: A www.example.com? example.com. NS 127.53.0.3.", "domain server: A www.example.com? 127.0.0.1"])
    card.get_by_role("button", name="TLD server").click()
    expect(page.locator("#detail")).to_contain_text("it names the servers of the domain")
    expect(page).to_have_url(re.compile(r"/journeys\?exchange=3"))
    expect(card.locator(".step[aria-current=true]")).to_have_count(1)


def test_the_way_of_a_letter_is_a_map_on_its_journey_and_on_its_page(own: Up, page: Page) -> None:
    letter(own, "Tea at five")
    page.goto(f"{own.url}/journeys?kind=letter")
    page.locator(".journey h2 a").first.click()
    expect(page.locator("svg.map .title")).to_have_text(
        ["alice", "submission server", "DNS", "mail.example.org", "bob@example.org", "bob"])
    words = page.locator(".drawing li")
    expect(words).to_have_count(5)
    expect(words.nth(1)).to_contain_text("MX example.org? 10 mail.example.org.")
    expect(words.nth(4)).to_have_text("bob: the letter is fetched by IMAP, readable on the way")
    expect(page.locator(".folded").first).to_be_hidden()
    page.get_by_role("button", name="more on the same connections").click()
    expect(page.locator(".folded").first).to_be_visible()
    page.goto(f"{own.url}/mail/bob/INBOX")
    page.locator(".letter-line", has_text="Tea at five").click()
    page.get_by_role("tab", name="The way it came").click()
    expect(page.locator("svg.map .title").nth(3)).to_have_text("mail.example.org")


@pytest.mark.usefixtures("forgiven")
def test_a_page_in_a_browser_is_one_journey_with_what_it_embeds(own: Up, page: Page) -> None:
    for name, text in (("trip.html", "<title>Trip</title><link rel=stylesheet href=a.css><img src=b.svg>"),
                       ("a.css", "body { color: green }"),
                       ("b.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')):
        own.post("files", {"place": "homes/alice", "path": f"www/{name}", "text": text})
    page.goto(f"http://alice.example.com.localhost:{own.ports['http']}/trip.html", wait_until="load")
    page.goto(f"{own.url}/journeys?kind=page")
    card = page.locator(".journey").filter(has_text="/trip.html")
    expect(card.locator("h2")).to_contain_text("alice.example.com")
    for name in ("a.css", "b.svg"):
        expect(card.locator("li").filter(has_text=name)).to_contain_text("names it as its referrer")
    expect(card.locator(".span.probable")).to_have_count(card.locator(".tie.probable").count())
    page.goto(f"{own.url}/journeys/{own.rows('path:/a.css')[0]['id']}")
    expect(page.locator(".journey h2")).to_contain_text("/trip.html")
    expect(page.locator(".journey .step").filter(has_text="b.svg")).to_have_count(1)


def test_kinds_and_a_filter_narrow_the_journeys(own: Up, page: Page) -> None:
    letter(own, "Kinds of way")
    walk(own, "www.example.com")
    page.goto(f"{own.url}/journeys")
    expect(page.locator(".journey")).to_have_count(2)
    page.get_by_role("button", name="walks").click()
    expect(page.locator(".journey h2")).to_have_text(["A www.example.com"])
    page.get_by_role("button", name="all", exact=True).click()
    page.locator("#filter").fill("protocol:imap")
    expect(page.locator(".journey h2")).to_have_text(["A letter from alice@example.com to bob@example.org"])


def test_from_an_exchange_to_its_words_and_its_journey_and_back(own: Up, page: Page) -> None:
    walk(own, "www.example.com")
    own.get("/missing")
    missing = own.rows("outcome:404")[0]["id"]
    page.goto(f"{own.url}/?exchange={missing}")
    page.locator(".lessons").get_by_role("link", name="Status code").click()
    expect(page.locator(".concept h2")).to_have_text("Status code")
    expect(page.locator(".concept")).to_contain_text("1 exchange shows it")
    expect(page.locator(".concept .command").first).to_contain_text(f":{own.ports['http']}/")
    page.locator(".concept summary").click()
    page.locator(".concept .words").get_by_role("button", name="404: Not Found").click()
    page.get_by_role("dialog").get_by_role("link", name="Status code").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.locator(".concept .seen button").first.click()
    expect(page.locator("#detail")).to_contain_text("404")
    page.goto(f"{own.url}/?exchange={own.rows('service:dns-tld')[0]['id']}")
    page.get_by_role("link", name="its journey").click()
    expect(page.locator(".journey .step")).to_have_count(4)


def test_a_cookie_that_a_browser_sent_is_the_example(own: Up, page: Page) -> None:
    own.get("/", Cookie="tea=green; cake=lemon")
    page.goto(f"{own.url}/learn/cookie")
    expect(page.locator(".concept")).to_contain_text("1 exchange shows it; here it is. All of them")
    expect(page.locator(".concept")).to_contain_text("The last one brought 2 cookies.")


def test_words_are_found_and_all_have_a_page(own: Up, page: Page) -> None:
    page.goto(f"{own.url}/learn")
    words = page.locator(".topics a")
    expect(words).to_have_count(len(own.ask("concepts")["concepts"]))
    page.get_by_label("Find a word").fill("handshake")
    expect(page.locator(".topics a:visible")).to_have_text(["Three-way handshake", "TLS handshake"])
    page.locator(".topics a:visible").last.click()
    expect(page.locator(".concept")).to_contain_text("Not yet")


@pytest.mark.parametrize(("width", "scheme", "searched"), LOOKS)
def test_in_every_width_and_theme(browser: Browser, told: Up, width: int, scheme: ColorScheme,
                                  searched: bool) -> None:
    sent = next(one for one in told.ask("journeys?kind=letter")["journeys"] if len(one["steps"]) > 5)
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme,
                                  reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    watched = Watched(context.new_page())
    page = watched.page
    problems = []
    for path, words in {"/journeys": "A www.example.com", f"/journeys/{sent['steps'][0]['row']['id']}": "carries it",
                        "/learn": "A way to begin", "/learn/mx": "Read next"}.items():
        page.goto(told.url + path)
        expect(page.locator("#main")).to_contain_text(words)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} is wider than the screen"
        over = page.evaluate("(main => main.scrollWidth - main.clientWidth)(document.querySelector('#main'))")
        assert over <= 0, f"{path} is {over} pixels wider than its place"
        problems += [f"{path}: {one}" for one in serious(page)] if searched else []
    context.close()
    assert problems == []
    assert watched.complaints == []
