"""Requests to addresses that other people chose: to public hosts alone, and to the very address that was
looked at. Called by ``webhook``.

Note [what is added]: ``requests_hardened`` refuses a private answer of the name server, connects to the
address that it has looked at and follows no redirect. Here is what it leaves open, by its own points of
extension: it reads the first answer only; of IPv6 it takes site-local addresses and IPv4 in disguise
(``::127.0.0.1``, ``::ffff:0:127.0.0.1``) for public; proxies and passwords of the environment win; URLs,
ports and names are taken as they come; requests reads the whole body of a redirect, unpacked, to find where
it leads; and a time-out begins again with every byte.
"""

import os
import re
import socket
from contextlib import closing, contextmanager, suppress
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address, ip_network
from threading import Timer
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

# A delivery's address is cut off after 320 characters, and the rest of a longer URL would lead somewhere
# else.
MAX_URL_CHARACTERS = 319
PORTS = frozenset({443, 8443})
# https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4; underscores are no letters of a host, and are in use.
LABEL, MAX_NAME_CHARACTERS = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)"), 253
USER = re.compile(r"[^/?#]*//[^/?#]*@")
# What browsers take for a number, and so for an IPv4 address:
# https://url.spec.whatwg.org/#ends-in-a-number-checker
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Names of this machine, of somebody's own network, and of clouds' services; what a name leads to is looked at
# in any case. https://www.iana.org/assignments/special-use-domain-names
INWARD = frozenset(
    ["localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan"]
    + ["arpa", "onion", "alt", "test", "invalid"]
)
# All of IPv6 that is given out: https://www.iana.org/assignments/ipv6-unicast-address-assignments
GLOBAL_UNICAST = ip_network("2000::/3")
# Where a developer's machine catches them all, so that nothing leaves it. Nothing on Lambda looks at it.
CATCHER = "WEBHOOK_CATCHER_URL"


class OutboundRefused(Exception):
    """Nothing was asked of anybody but the name server.

    The text says why, and nothing of what stands behind the name.
    """


def check_url(text):
    """The URL to ask for ``text``, with its name in ASCII. Raises OutboundRefused."""
    url = text.strip()
    if len(url) > MAX_URL_CHARACTERS:
        raise OutboundRefused(f"The URL is longer than {MAX_URL_CHARACTERS} characters.")
    if re.search(r"[\x00-\x20\x7f-\xa0\\]", url):
        raise OutboundRefused("The URL holds a blank, a control character or a backslash.")
    try:
        # The parser that requests goes by.
        parts = parse_url(url)
    except LocationParseError:
        raise OutboundRefused("It is no URL.") from None
    if parts.scheme != "https" or not parts.host:
        raise OutboundRefused("The URL must begin with https://.")
    if USER.match(url):
        raise OutboundRefused("The URL holds a user name or a password.")
    if parts.port not in {None, *PORTS}:
        raise OutboundRefused("The URL names a port other than 443 and 8443.")
    return parts._replace(host=_checked_name(parts.host), fragment=None).url


def _checked_name(host):
    name = host.lower()
    *_, last = labels = name.split(".")
    if name.startswith("[") or NUMBER.fullmatch(last):
        raise OutboundRefused("The URL names an IP address: write the name of a host.")
    if len(labels) < 2 or len(name) > MAX_NAME_CHARACTERS or not all(map(LABEL.fullmatch, labels)):
        raise OutboundRefused("The URL does not name a host on the Internet.")
    if last in INWARD:
        raise OutboundRefused("The URL names a host that is not on the Internet.")
    return name


def is_public(address):
    """Whether an IP address is one of the Internet's: not of this machine, a network behind it, a cloud's
    own, or another in disguise.
    """
    ip = ip_address(address)
    if ip.version == 6 and ip not in GLOBAL_UNICAST:
        return False
    reserved = (
        ip.is_multicast
        or ip.is_reserved
        or ip.is_unspecified
        or any(ip in each for each in EXTRA_BLOCKED_NET_RANGES)
    )
    return ip.is_global and not ip.is_private and not reserved


def public_address(host):
    """The address to connect to: the first of one look-up's answers, which must all be public.

    Raises OutboundRefused, or gaierror.
    """
    answers = [answer[4][0] for answer in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    if not answers or not all(map(is_public, answers)):
        # Not which: somebody could map a network by asking.
        raise OutboundRefused("The host has no public address.")
    return answers[0]


class PinnedAdapter(IPFilterAdapter):
    """Looks the name up, and hands the library the address: it looks at that once more and pins it.

    TLS goes by the name all the same.
    """

    def __init__(self, total_seconds):
        # Kept before: the library's own makes the pools.
        self._total_seconds = total_seconds
        super().__init__(is_https_proto=True)

    def init_poolmanager(self, *args, **options):
        super().init_poolmanager(*args, **options)
        connection = type("Connection", (DeadlineConnection,), {"total_seconds": self._total_seconds})
        pool = type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": connection})
        self.poolmanager.pool_classes_by_scheme = {"https": pool}

    def build_connection_pool_key_attributes(self, request, verify, cert=None):
        url = parse_url(request.url)
        address = public_address(url.host)
        pinned = request.copy()
        pinned.url = url._replace(host=f"[{address}]" if ":" in address else address).url
        host_params, pool_kwargs = super().build_connection_pool_key_attributes(pinned, verify, cert)
        request.headers["Host"] = url.netloc
        return host_params, pool_kwargs | {"assert_hostname": url.host, "server_hostname": url.host}


class DeadlineConnection(HTTPSConnection):
    """Cut off after ``total_seconds``, whatever still comes: somebody who drips a byte a second keeps within
    any other time-out.
    """

    total_seconds = None
    _deadline = None

    def _new_conn(self):
        connected = super()._new_conn()
        # TLS takes the socket itself over; a duplicate can still close both ways.
        guard = connected.dup()
        self._deadline = Timer(self.total_seconds, _cut, [guard])
        self._deadline.daemon = True
        self._deadline.start()
        return connected

    def close(self):
        super().close()
        if self._deadline:
            self._deadline.cancel()
            self._deadline.args[0].close()
            self._deadline = None


def _cut(guard):
    with suppress(OSError):  # it is over already
        guard.shutdown(socket.SHUT_RDWR)


class OutboundSession(HTTPSession):
    """Takes nothing from the environment, keeps no cookies, and has no way but HTTPS."""

    def __init__(self, adapter, **config):
        super().__init__(
            Config(ip_filter_enable=True, ip_filter_allow_loopback_ips=False, never_redirect=True, **config)
        )
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.adapters.clear()
        self.mount("https://", adapter)

    def get_redirect_target(self, resp):
        # Asked also where no redirect is followed, and then the body is read to its end.
        return None


class CatchingAdapter(HTTPAdapter):
    """Hands every request to the catcher on this machine, with the host that it was for."""

    def __init__(self, url):
        super().__init__()
        self._catcher = urlsplit(url)

    def send(self, request, **options):
        asked = urlsplit(request.url)
        request.headers["Host"] = asked.netloc
        request.url = asked._replace(scheme="http", netloc=self._catcher.netloc).geturl()
        return super().send(request, **options)


@contextmanager
def open_outbound(*, connect_seconds, read_seconds, total_seconds, user_agent):
    """A session for requests by ``post``.

    What is not public is refused by OutboundRefused, before a connection is made.
    """
    catcher = None if "AWS_LAMBDA_FUNCTION_NAME" in os.environ else os.environ.get(CATCHER)
    adapter = CatchingAdapter(catcher) if catcher else PinnedAdapter(total_seconds)
    timeouts = connect_seconds, read_seconds
    with closing(
        OutboundSession(adapter, default_timeout=timeouts, user_agent_override=user_agent)
    ) as session:
        yield session


def post(session, url, *, body, headers):
    """``(status, headers)`` of the answer to a POST. Its body is not read, so nothing of it can be large,
    slow or packed.
    """
    headers = {"Accept-Encoding": "identity", "Connection": "close", **headers}
    try:
        with closing(
            session.post(check_url(url), data=body, headers=headers, stream=True, allow_redirects=False)
        ) as answer:
            return answer.status_code, answer.headers
    finally:
        # One request a connection, as its deadline is that request's.
        session.close()
