"""A learner does a lab with the page beside it: in a real browser, at a desk and on a telephone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.page.test_views import serious
from tests.support.live import PATIENCE, Up, Watched

pytestmark = pytest.mark.program("chromium", "chromium")


def test_a_lab_is_done_beside_the_page(watched: Watched, own: Up) -> None:
    page = watched.page
    page.goto(f"{own.url}/labs")
    page.get_by_role("link", name="Your first request").click()
    page.get_by_label("Your name").fill("<b>Ada</b>")
    page.get_by_role("button", name="Begin").click()
    page.get_by_label("The server that has the page").check()
    page.get_by_role("button", name="Keep my guess").click()
    expect(page.get_by_text("Kept. Do the step")).to_be_visible()
    page.get_by_role("button", name="A hint").click()
    expect(page.get_by_text("Is the sandbox running?")).to_be_visible()
    expect(page.get_by_role("button", name="One more hint")).to_be_visible()

    own.get("/nothing-here")
    expect(page.get_by_text("it was answered 404; this step wants 200")).to_be_visible()
    expect(page.locator(".lab-seen .near")).to_have_count(1)
    own.get("/")
    expect(page.locator(".lab-step.passed")).to_have_count(1)
    page.goto(f"{own.url}/labs/first-request/page")
    expect(page.locator(".lab-seen .counted")).to_have_count(1)
    expect(page.get_by_text("It went otherwise than you predicted")).to_be_visible()
    expect(page.get_by_text("The client speaks first")).to_be_visible()

    page.get_by_role("link", name="Next: Read the answer").click()
    for name, given in (("status", "200"), ("type", "text/html; charset=utf-8"), ("host", "www.example.com")):
        field = page.locator(f"#answer-read\\.{name}")
        field.fill(given)
        field.press("Enter")
        expect(page.locator(".lab-question.right", has=field)).to_be_visible()
    expect(page.locator(".lab-step.passed")).to_have_count(2)
    word = own.ask("labs")["learner"]["word"]
    own.get("/", user_agent=word)
    expect(page.get_by_text("All of it is done.")).to_be_visible()
    page.goto(f"{own.url}/labs")
    expect(page.get_by_text("<b>Ada</b>")).to_be_visible()
    expect(page.get_by_text("3 of 3 steps")).to_be_visible()


def test_what_is_being_written_is_left_alone(watched: Watched, own: Up) -> None:
    page = watched.page
    page.goto(f"{own.url}/labs/first-request")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("button", name="Begin")).to_have_count(0)
    own.get("/")
    expect(page.locator(".lab-step.not-yet")).to_have_count(3)
    page.goto(f"{own.url}/labs/first-request/read")
    field = page.locator("#answer-read\\.type")
    field.fill("text/ht")
    own.get("/another")
    expect(page.locator(".lab-seen li")).to_have_count(2)
    expect(field).to_have_value("text/ht")
    expect(field).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_lab_in_every_width_and_theme(browser: Browser, own: Up, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900},
                                  color_scheme="dark" if scheme == "dark" else "light")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{own.url}/labs/be-the-browser")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("button", name="Begin")).to_have_count(0)
    own.get("/")
    expect(page.locator(".lab-seen .near")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert serious(page) == []
    context.close()
