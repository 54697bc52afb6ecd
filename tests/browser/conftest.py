"""A browser before a live server. What goes wrong in its pages fails the test, whatever the test looks at."""

import pytest
from playwright.sync_api import expect

from tests.support.chromium import chromium
from tests.support.patience import STANDSTILL_SECONDS

# For what a page is asked to do, and for what it is to show: by itself, `expect` waits for five seconds.
PATIENCE_MILLISECONDS = STANDSTILL_SECONDS * 1000
expect.set_options(timeout=PATIENCE_MILLISECONDS)


@pytest.fixture(scope="module")
def browser():
    """One for all tests of a file: to start it takes as long as any of them."""
    with pytest.MonkeyPatch.context() as patch, chromium() as browser:
        # Playwright runs a loop in this thread, which Django would take for asynchronous code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield browser


@pytest.fixture
def open_window(browser, live_server):
    """Opens a page of a given width; ``noisy`` where the browser itself complains of what the test does."""
    problems, pages = [], []

    def note(page, said):
        # For what is no page, such as JSON, a browser asks by itself for a picture that no link names.
        if said.type == "error" and not said.location["url"].endswith("/favicon.ico"):
            problems.append(f"{page.url}: {said.text}")

    def open_window(*, width, height=900, noisy=False):
        page = browser.new_page(viewport={"width": width, "height": height}, base_url=live_server.url)
        pages.append(page)
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        page.on("pageerror", lambda error: problems.append(str(error)))
        if not noisy:
            page.on("console", lambda said: note(page, said))
        return page

    yield open_window
    for page in pages:
        page.close()
    assert problems == []
