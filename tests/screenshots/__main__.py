"""``make screenshots``: every page of the admin, at two widths, light and dark, by ``chromium``."""

import os
import sys
import tempfile
from pathlib import Path

FOLDER, DOCS = Path(".cache/screenshots"), Path("docs")
WIDTHS, SCHEMES, HEIGHT = (1366, 390), ("light", "dark"), 900


def main():
    with tempfile.TemporaryDirectory() as folder:
        ours = {
            "DATABASE_URL": f"sqlite:///{folder}/screenshots.sqlite3",
            "DJANGO_SETTINGS_MODULE": "project.settings",
        }
        # Playwright runs a loop in this thread, which Django would take for asynchronous code.
        os.environ |= ours | {"DJANGO_ALLOW_ASYNC_UNSAFE": "true", "LOG_LEVEL": "ERROR"}
        import django

        django.setup()
        take_all()


def take_all():
    """Let a shop use Notifier for a month, and look at all its pages."""
    from django.conf import settings
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    from notifier.local.server import LoopbackServer
    from notifier.local.system import local_system
    from tests.support.chromium import chromium

    from . import history, pages

    call_command("migrate", verbosity=0, interactive=False)
    server = LoopbackServer(StaticFilesHandler(get_wsgi_application()), name="The admin")
    with local_system() as (cloud, pump), chromium() as browser:
        server.start()
        try:
            history.happen(cloud, pump)
            _look(browser, server.url, pages.SHOTS, history.keys())
            history.pause(pump)
            # The demo's few people are many enough to be asked about.
            settings.NOTIFIER["CONFIRM_ABOVE"] = 3
            _look(browser, server.url, pages.PAUSED, history.keys())
        finally:
            server.stop()


def _look(browser, url, shots, keys):
    for width in WIDTHS:
        for scheme in SCHEMES:
            window = {"viewport": {"width": width, "height": HEIGHT}, "base_url": url, "color_scheme": scheme}
            stranger = browser.new_context(**window)
            at_the_door = stranger.new_page()
            known = browser.new_context(**window, storage_state=_sign_in(at_the_door))
            # Else its bell goes on asking, as somebody who has been signed out.
            at_the_door.close()
            stranger.clear_cookies()
            for shot in shots:
                page = (known if shot.signed_in else stranger).new_page()
                _take(page, shot, shot.path.format(**keys), f"{width}-{scheme}")
                page.close()
    sys.stdout.write(f"{len(shots) * len(WIDTHS) * len(SCHEMES)} pictures are in {FOLDER}/\n")


def _sign_in(page):
    from project.demo.rules import ADMIN, PASSWORD

    page.goto("/admin/login/")
    page.get_by_label("Username").fill(ADMIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Username").wait_for(state="detached")
    return page.context.storage_state()


def _take(page, shot, path, variant):
    page.goto(path)
    shot.act(page)
    page.wait_for_function("document.fonts.status === 'loaded'")
    if shot.in_readme and variant == f"{WIDTHS[0]}-{SCHEMES[0]}":
        page.screenshot(path=DOCS / f"{shot.name}.png", animations="disabled")
    if shot.is_whole:
        # Chromium's own picture of a whole page has what sticks to the window's edge in its middle.
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size(page.viewport_size | {"height": max(height, HEIGHT)})
    page.screenshot(path=FOLDER / f"{shot.name}-{variant}.png", animations="disabled")


if __name__ == "__main__":
    main()
