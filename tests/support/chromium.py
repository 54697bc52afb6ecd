"""The headless browser that looks at the admin, for ``tests/browser`` and ``tests.screenshots``."""

import shutil
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from notifier.exceptions import ConfigurationError

# As distributions call it; one that playwright has installed does as well.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Its own sandbox needs a user who is not root, and a container's /dev/shm is too small for it.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--hide-scrollbars",
]


@contextmanager
def chromium():
    """Yield a Browser of playwright's. ConfigurationError, which says what to install, where there is none.

    Inside it Django takes this thread for asynchronous code, unless DJANGO_ALLOW_ASYNC_UNSAFE is set.
    """
    with sync_playwright() as playwright:
        path = find_program(playwright.chromium.executable_path)
        with playwright.chromium.launch(executable_path=path, args=ARGUMENTS) as browser:
            yield browser


def find_program(own):
    """The path of the browser; ``own`` is where playwright would have put one."""
    path = next(filter(None, map(shutil.which, PROGRAMS)), None) or (own if Path(own).exists() else None)
    if path is None:
        raise ConfigurationError(
            "Chromium is needed to look at the admin, and is not on the PATH. Install it: apt "
            "install chromium,"
            " or .venv/bin/playwright install chromium"
        )
    return path
