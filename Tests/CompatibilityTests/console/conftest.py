"""A real browser for the pages of the Console."""

import pytest
from playwright.sync_api import expect, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]

# Nothing is promised within the five seconds of Playwright, and the machine may be busy with other tests.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium-headless-shell", args=FLAGS)
        yield browser
        browser.close()


class Tab:
    """A page of the browser that keeps what it complained about and whom it called."""

    def __init__(self, chromium, url: str):
        self.url = url
        self.context = chromium.new_context(viewport={"width": 1280, "height": 800})
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: None if request.url.startswith((url, "data:", "blob:")) else
                     self.foreign.append(request.url))

    def open(self, path: str):
        response = self.page.goto(self.url + path)
        self.page.wait_for_load_state()
        return response


@pytest.fixture
def tab(chromium, server):
    """A fresh tab on the shared server; the test fails when the page complained or called another host."""
    tab = Tab(chromium, server.url)
    yield tab
    tab.context.close()
    assert not tab.complaints
    assert not tab.foreign
