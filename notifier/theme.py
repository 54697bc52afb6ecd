"""The admin's look and its sidebar, as unfold's settings; ``admin.sidebar`` fills the latter.

A project writes ``UNFOLD = theme.UNFOLD``, or with settings of its own ``theme.UNFOLD | {...}``; without, it
keeps unfold's own sidebar.
"""

from django.templatetags.static import static

UNFOLD = {
    "SITE_TITLE": "Notifier",
    "SITE_HEADER": "Notifier",
    "SITE_SYMBOL": "notifications",
    # Without one, browsers ask for /favicon.ico, which no page of the admin answers.
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("notifier/icon.svg")}
    ],
    # There is no page of the site to return to.
    "SITE_URL": None,
    # In a file of their own: a setting would stand as a style within each page.
    "COLORS": lambda request: {},
    "STYLES": [
        lambda request: static("notifier/colours.css"),
        lambda request: static("notifier/admin.css"),
    ],
    "SCRIPTS": [lambda request: static("notifier/strict.js")],
    "SIDEBAR": {"navigation": "notifier.admin.sidebar.navigation"},
}
