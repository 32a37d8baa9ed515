"""Makes the pictures of the live page from a real run: python docs/images/page.py

It starts `sandbox up`, lets programs of the standard library ask for something in every protocol, and takes pictures
of the page in Chromium. It needs the test extra (`pip install '.[test]'`) and chromium.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.support.live import Up, traffic, up  # noqa: E402

CHROMIUM = "/usr/bin/chromium"
QUALITY = 72
SETTLE = 700
"""Milliseconds until a view has all it shows."""


def main() -> None:
    with tempfile.TemporaryDirectory() as data, up(Path(data)) as sandbox, sync_playwright() as playwright:
        traffic(sandbox)
        for _ in range(3):
            sandbox.get("/news")
        sandbox.get("/login", method="POST", body=b"user=alice&password=wonderland",
                    Content_Type="application/x-www-form-urlencoded")
        sandbox.look_up("www.example.com", "MX")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        take(browser, sandbox, "live", found(sandbox, "verb:POST path:/login"))
        take(browser, sandbox, "eavesdropper", found(sandbox, "host:httpbin.org path:/json", "wire"), scheme="dark")
        take(browser, sandbox, "octets", found(sandbox, "verb:MX", "bytes"), at='.hex i[data-o="14"]')
        take(browser, sandbox, "ladder", found(sandbox, "service:https verb:GET", "connection"))
        take(browser, sandbox, "mail", "/mail/alice/INBOX", click=".letter-line")
        take(browser, sandbox, "telephone", f"/?filter={quote('protocol:http')}", scheme="dark", size=(390, 780))
        browser.close()


def found(sandbox: Up, text: str, tab: str = "") -> str:
    """The address of the newest exchange under a filter."""
    return f"/?exchange={sandbox.rows(text, 1)[0]['id']}&tab={tab}"


def take(browser: Browser, sandbox: Up, name: str, path: str, *, scheme: str = "light", at: str = "",
         click: str = "", size: tuple[int, int] = (1360, 780)) -> None:
    """One picture. at: what the pointer is on; click: what is opened first."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]},
                            color_scheme="dark" if scheme == "dark" else "light")
    page.goto(sandbox.url + path)
    page.wait_for_selector("#status :text('connected')", state="attached")
    if click:
        page.locator(click).first.click()
    if at:
        page.locator(at).first.hover()
    page.wait_for_timeout(SETTLE)
    save(page, HERE / f"{name}.webp")
    page.close()


def save(page: Page, file: Path) -> None:
    taken = page.context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    file.write_bytes(base64.b64decode(taken["data"]))
    print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
