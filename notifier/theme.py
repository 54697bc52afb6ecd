"""The admin's look and its sidebar, as unfold's settings; ``admin.sidebar`` fills the latter.

A project writes ``UNFOLD = theme.UNFOLD``, or with settings of its own ``theme.UNFOLD | {...}``; without, it
keeps unfold's own sidebar.
"""

from django.templatetags.static import static

# From Tailwind's palette: white text on 600 and 500 on the darkest grey both have a contrast above 4.5.
# https://tailwindcss.com/docs/colors
_BLUE = {
    "50": "oklch(97% .014 254.604)",
    "100": "oklch(93.2% .032 255.585)",
    "200": "oklch(88.2% .059 254.128)",
    "300": "oklch(80.9% .105 251.813)",
    "400": "oklch(70.7% .165 254.624)",
    "500": "oklch(64.8% .19 258.5)",
    "600": "oklch(54.6% .245 262.881)",
    "700": "oklch(48.8% .243 264.376)",
    "800": "oklch(42.4% .199 265.638)",
    "900": "oklch(37.9% .146 265.522)",
    "950": "oklch(28.2% .091 267.935)",
}

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
    "COLORS": {"primary": _BLUE},
    "STYLES": [lambda request: static("notifier/admin.css")],
    "SIDEBAR": {"navigation": "notifier.admin.sidebar.navigation"},
}
