"""What Notifier's pages let a browser do, as headers: what runs, who frames, what is kept and passed on.

Each view of ``notifier.urls`` brings its own, in any project. For the admin a project lists a middleware:
``AdminHeadersMiddleware``, or ``SiteHeadersMiddleware`` where all of the site is to have them. Where a policy
stands already, it stays, as in Django 6 and in django-csp.

https://www.w3.org/TR/CSP3/
"""

from functools import wraps
from types import MappingProxyType

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.deprecation import MiddlewareMixin

from .log_secrets import hide

CSP, REFERRER, CACHE = "Content-Security-Policy", "Referrer-Policy", "Cache-Control"
FRAMES = "X-Frame-Options"
NO_REFERRER, SAME_ORIGIN = "no-referrer", "same-origin"
NO_STORE, PRIVATE, PUBLIC = "no-store", "private, no-store", "public, max-age=3600"


def policy(**sources):
    """A Content-Security-Policy: nothing but ``sources``, and this site's frames, forms and base. ``_`` in a
    name stands for ``-``.
    """
    found = {"default_src": "'none'", "base_uri": "'none'", "object_src": "'none'"} | {
        "form_action": "'none'",
        "frame_ancestors": "'none'",
        **sources,
    }
    return "; ".join(f"{name.replace('_', '-')} {value}".rstrip() for name, value in found.items())


OWN = {
    "script_src": "'self'",
    "style_src": "'self'",
    "img_src": "'self' data:",
    "font_src": "'self'",
    "connect_src": "'self'",
    "form_action": "'self'",
}
# A notification's icon may be a picture elsewhere.
PICTURES = "'self' data: https: http:"
PAGE = policy(**OWN)
INBOX = policy(**OWN | {"img_src": PICTURES})
# Nothing that a browser shows; the picture is its own, of the tab.
DATA = policy(img_src="'self'")
# Alpine, with which unfold's pages open and close, makes functions of their attributes' texts, and styles of
# what some give; its build for strict policies reads no arrow functions and no localStorage, as those have.
# Nothing inline runs. https://alpinejs.dev/advanced/csp
UNFOLD = OWN | {
    "script_src": "'self' 'unsafe-eval'",
    "style_src_attr": "'unsafe-inline'",
    "img_src": PICTURES,
}
ADMIN = policy(**UNFOLD)
# A mail's preview is a frame by `srcdoc`, which inherits this, and a mail brings its own styles.
EDITOR = policy(**UNFOLD | {"style_src": "'self' 'unsafe-inline'", "font_src": "'self' data:"})
EDITORS = ("notifier_template_add", "notifier_template_change")

COMMON = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        FRAMES: "DENY",
        "Cross-Origin-Opener-Policy": SAME_ORIGIN,
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        REFERRER: SAME_ORIGIN,
    }
)
# A page for whoever is signed in.
PERSONAL = {CACHE: PRIVATE, "X-Robots-Tag": "noindex"}
# A page that a link's token opens: what it links to and shows must not learn its address.
LINKED = {CACHE: NO_STORE, "X-Robots-Tag": "noindex", REFERRER: NO_REFERRER}


def guarded(content_security_policy, headers=MappingProxyType({})):
    """A decorator: all answers of the view have the policy, COMMON and ``headers``, where it says nothing
    else itself.

    What it raises is answered elsewhere: there the middleware sees to it.
    """
    found = {**COMMON, CSP: content_security_policy, **headers}

    def decorate(view):
        @wraps(view)
        def guarded_view(*args, **options):
            response = view(*args, **options)
            _add(response, found)
            return response

        guarded_view.page_headers = found
        return guarded_view

    return decorate


def _add(response, headers):
    for name, value in headers.items():
        response.headers.setdefault(name, value)


class AdminHeadersMiddleware(MiddlewareMixin):
    """Headers for all pages of the admin, and for refusals and errors of the views that are ``guarded``.

    Stands first in MIDDLEWARE. The rest of the site is left alone.
    """

    def process_response(self, request, response):
        headers = self.headers_of(request)
        if headers and settings.DEBUG and response.status_code in (404, 500):
            # Django's own page for developers has all inline.
            headers = {name: value for name, value in headers.items() if name != CSP}
        if headers.get(REFERRER) == NO_REFERRER:
            # SecurityMiddleware does not know which page it is.
            response.headers[REFERRER] = NO_REFERRER
        if headers.get(CSP) in (ADMIN, EDITOR):
            # unfold lets this site frame its pages, the policy nobody.
            response.headers[FRAMES] = COMMON[FRAMES]
        _add(response, headers)
        return response

    def headers_of(self, request):
        """Headers for one request, whatever its answer; none for what is not ours."""
        match = request.resolver_match
        if match is None:
            return {}
        if found := getattr(match.func, "page_headers", None):
            return found
        if "admin" in match.app_names or is_below_admin(request):
            return {**COMMON, CSP: EDITOR if match.url_name in EDITORS else ADMIN, CACHE: PRIVATE}
        return {}


def is_below_admin(request):
    """Whether it is asked where the admin is, though by a view of another namespace, as its first page is."""
    try:
        return request.path.startswith(reverse("admin:index"))
    except NoReverseMatch:
        return False


class SiteHeadersMiddleware(AdminHeadersMiddleware):
    """The same, and strict ones for all else, also for addresses that lead nowhere."""

    def headers_of(self, request):
        found = super().headers_of(request)
        if found:
            return found
        # A link that lost its slash or its end still has a token.
        is_secret = hide(request.get_full_path()) != request.get_full_path()
        return {**COMMON, CSP: PAGE, CACHE: NO_STORE, **(LINKED if is_secret else {})}
