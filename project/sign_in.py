"""The door of the admin: how often a password may be guessed, and what is asked of the database before
anybody has signed in.

Note [three limits]: of django-axes' one limit, by name and network together, everybody with several networks
has several. So failures count by the name alone too, and by the network alone, whatever the names. Somebody
who keeps on guessing could lock the owner out of their own account that way; a browser on which they have
signed in before is held to the first limit alone.
https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

import ipaddress

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username, get_failure_limit
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.db import transaction
from django.db.models import Sum
from django.http import HttpResponseRedirect
from django.urls import reverse

from notifier.deploy.web import NOBODY
from notifier.page_headers import is_below_admin

# Failures within AXES_COOLOFF_TIME, a quarter of an hour: about 50 guesses an hour at one name.
MOST_BY = {"username": 12, "ip_address": 30}
# What one customer is given at least: https://www.rfc-editor.org/rfc/rfc6177
NETWORK_BITS = 64
# Addresses that carry an IPv4 address in their last bits. Their first 64 are the same for everybody.
# https://www.rfc-editor.org/rfc/rfc6052 https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5
CARRIERS = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))
KNOWN, KNOWN_SECONDS = "known_browser", 180 * 24 * 3600


def network_of(request):
    """The network that a request comes from, as a text: an IPv4 address, or the first address of an IPv6
    /64.
    """
    text = request.META.get("REMOTE_ADDR", "").strip().strip("[]").partition("%")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return NOBODY
    if address.version == 4:
        return str(address)
    if inner := _carried(address):
        return str(inner)
    return str(ipaddress.ip_network((address, NETWORK_BITS), strict=False).network_address)


def _carried(address):
    """The IPv4 address behind an IPv6 one, or None."""
    teredo = address.teredo and address.teredo[1]
    if inner := address.ipv4_mapped or address.sixtofour or teredo:
        return inner
    if not address.is_loopback and any(address in carrier for carrier in CARRIERS):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


class Handler(AxesDatabaseHandler):
    """Axes' own, with the limits of MOST_BY beside AXES_FAILURE_LIMIT: see note [three limits].

    What a limit refuses is not recorded. So there are no more rows than MOST_BY a network, and the first
    failure after AXES_COOLOFF_TIME removes them.
    """

    def get_failures(self, request, credentials=None):
        """Failures by name and network; as many as the limit where another limit is reached."""
        failures, most = super().get_failures(request, credentials), get_failure_limit(request, credentials)
        name = get_client_username(request, credentials)
        if failures >= most or is_known(request, name):
            return failures
        since = get_cool_off_threshold(request)
        for field, value in (("username", name), ("ip_address", request.axes_ip_address)):
            attempts = AccessAttempt.objects.filter(**{field: value}, attempt_time__gte=since)
            found = attempts.aggregate(Sum("failures_since_start", default=0))
            if found["failures_since_start__sum"] >= MOST_BY[field]:
                request.reached_limit = field
                return most
        return failures


def is_known(request, name):
    """Whether somebody has signed in as ``name`` by this browser."""
    return bool(name) and bool(
        request.get_signed_cookie(KNOWN, default="", salt=_salt(name), max_age=KNOWN_SECONDS)
    )


def _salt(name):
    return f"{__name__}.{name}"


@transaction.non_atomic_requests
def page(request):
    """The admin's sign-in page. To look at it takes no connection to the database."""
    if request.method in ("GET", "HEAD"):
        return admin.site.login(request)
    with transaction.atomic():
        response = admin.site.login(request)
    if request.user.is_authenticated:
        response.set_signed_cookie(
            KNOWN, "1", salt=_salt(request.user.get_username()), max_age=KNOWN_SECONDS, path=request.path,
            secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax",
        )  # fmt: skip
    return response


page.login_required = False


class SignInFirstMiddleware(LoginRequiredMiddleware):
    """Sends who has not signed in from the admin's pages to the sign-in page, as the admin itself does, but
    before a transaction is opened.
    """

    def process_view(self, request, view_func, view_args, view_kwargs):
        if request.user.is_authenticated or not is_below_admin(request):
            return None
        if request.path == reverse("admin:logout"):
            return HttpResponseRedirect(reverse("admin:index"))
        return super().process_view(request, view_func, view_args, view_kwargs)
