"""Finds the Apprise plugin that can reach an address. Called by ``chat``.

A chat's address is stored with each delivery and shown in the admin, and an Apprise URL holds the service's
token. So an address is only a name, or a name and a recipient: ``ops``, ``telegram:123456``. The URLs behind
the names are one secret, CHAT_ROOMS.
"""

import json
import re
from functools import cache
from urllib.parse import quote

from notifier.channels import credentials
from notifier.exceptions import Rejected, Skipped

from ._chat_line import watch_plugins

# The place of the recipient in a room's URL.
TO = "{to}"
ADDRESS = re.compile(r"(?P<name>[\w.-]{1,64})(?::(?P<to>[\w@#+=-][\w@#+.:=-]{0,127}))?")
# What does not speak over HTTPS to a chat service: it shows on this machine's own screen or writes its log,
# opens sockets of its own, which no time-out of ours reaches, or is another channel's business (mail, plain
# webhooks).
REFUSED = frozenset(
    [
        "blink1",
        "dbus",
        "gio",
        "glib",
        "gnome",
        "kde",
        "macosx",
        "qt",
        "rsyslog",
        "syslog",
        "windows",
        "amqp",
        "amqps",
        "aprs",
        "deltachat",
        "deltachats",
        "growl",
        "irc",
        "ircs",
        "mqtt",
        "mqtts",
        "nostr",
        "smpp",
        "smpps",
        "xmpp",
        "xmpps",
        "apprise",
        "apprises",
        "form",
        "forms",
        "json",
        "jsons",
        "mailto",
        "mailtos",
        "xml",
        "xmls",
    ]
)


def read_rooms():
    """Name → Apprise URL, as the secret CHAT_ROOMS says; none without it.

    Raises Rejected when it is not readable.
    """
    return parse_rooms(credentials.read("CHAT_ROOMS") or "{}")


def parse_rooms(text):
    """Name → Apprise URL. Raises Rejected, whose words quote nothing of ``text``."""
    try:
        rooms = json.loads(text)
    except ValueError:
        rooms = None
    if not isinstance(rooms, dict) or not all(isinstance(url, str) for url in rooms.values()):
        raise Rejected(
            "not_configured", 'CHAT_ROOMS is no JSON object of names and Apprise URLs: {"ops": "slack://…"}.'
        )
    return rooms


def url_of(address, rooms):
    """The Apprise URL that ``address`` stands for.

    Raises Skipped for an address that is none, Rejected for a room that is not there.
    """
    found = ADDRESS.fullmatch(address.strip())
    if not found:
        whole = (
            "It is a whole URL, with its secrets: put that into CHAT_ROOMS under a name, and write the name."
        )
        raise Skipped("invalid_address", whole if "://" in address else "Write a room’s name, or name:whom.")
    url, to = rooms.get(found["name"]), found["to"]
    if url is None:
        raise Rejected("unknown_room", "CHAT_ROOMS has no room of that name.")
    if (TO in url) != (to is not None):
        missing = "It says nothing of whom it is for: write name:whom."
        raise Skipped(
            "invalid_address",
            missing if TO in url else "That room has no place for whom it is for: write its name alone.",
        )
    # Before the first slash it would choose the server.
    if TO in url.partition("://")[2].partition("/")[0]:
        raise Rejected("not_configured", f"In the URL of that room {TO} must come after the host.")
    return url.replace(TO, quote(to or "", safe=""))


def plugin_for(url):
    """Apprise's plugin for ``url``, which waits for nothing and repeats nothing. Raises Rejected."""
    if url.partition("://")[0].lower() in REFUSED:
        raise Rejected("refused_here", "Apprise would not speak over HTTPS to a chat service there.")
    plugin = _apprise().Apprise.instantiate(url, asset=_asset())
    if plugin is None:
        raise Rejected("not_configured", "Apprise cannot read the URL of that room.")
    plugin.throttle, plugin.retry = _wait_for_nothing, 0
    if len(plugin) != 1:
        # One could take it and another not.
        raise Rejected(
            "not_configured", "The URL of that room names several recipients, or none: make a room for each."
        )
    return plugin


def _wait_for_nothing(*_args, **_options):
    """Instead of Apprise's sleep between two requests: who comes too early is told so by the service, and the
    database knows when to.
    """


@cache
def _apprise():
    # All 140 plugins: a second that only a function with something to send should pay.
    import apprise

    apprise.Apprise.instantiate("json://localhost")  # loads the plugins
    watch_plugins()
    return apprise


@cache
def _asset():
    """The name by which it speaks, and no pictures from another project's site."""
    pictures = dict.fromkeys(["image_url_mask", "image_url_logo", "image_path_mask"], "")
    return _apprise().AppriseAsset(
        app_id="Notifier", app_desc="Notifier", app_url="", async_mode=False, **pictures
    )
