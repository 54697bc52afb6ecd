"""Finds the Apprise plugin that can reach an address. Called by ``chat``.

A chat's address is stored with each delivery and shown in the admin, and an Apprise URL holds the service's
token. So an address is only a name, or a name and a recipient: ``ops``, ``telegram:123456``. The URLs behind
the names are one secret, CHAT_ROOMS.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from notifier.channels import credentials
from notifier.exceptions import Rejected, Skipped

from ._chat_line import watch_plugins

# The place of the recipient in a room's URL.
TO = "{to}"
ADDRESS = re.compile(r"(?P<name>[\w.-]{1,64})(?::(?P<to>[\w@#+!=-][\w@#+.:=-]{0,127}))?")
# How services name one person, by their URLs' schemes; a room or a channel begins with another sign.
# https://core.telegram.org/bots/api#sendmessage, https://docs.slack.dev/reference/objects/conversation-object
ANYBODY = re.compile(r"[^#!+-].*")
PEOPLE = {
    "tgram": re.compile(r"\d+"),
    "slack": re.compile(r"@.+|\+?[UWD][A-Z0-9]+|[^#@+]+@.+"),
} | dict.fromkeys(
    ["matrix", "matrixs", "mmost", "mmosts", "rocket", "rockets", "mastodon", "mastodons", "toot", "toots"],
    re.compile(r"@.+"),
)
SHARED = (
    "Others read in that room, so it is no person’s own address. A room with {to} in its URL is, or one that "
    'CHAT_ROOMS says is for people: {"url": "…", "for_people": true}.'
)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """An Apprise URL, and whether it may stand in a person's own address although others read there."""

    url: str
    for_people: bool = False


def read_rooms():
    """Name → Room, as the secret CHAT_ROOMS says; none without it.

    Raises Rejected when it is not readable.
    """
    return parse_rooms(credentials.read("CHAT_ROOMS") or "{}")


def parse_rooms(text):
    """Name → Room. Raises Rejected, whose words quote nothing of ``text``."""
    try:
        found = json.loads(text)
        return {name: _room(said) for name, said in found.items()}
    except (AttributeError, TypeError, ValueError):
        raise Rejected(
            "not_configured",
            'CHAT_ROOMS is no JSON object of names and Apprise URLs: {"ops": "slack://…"}, or {"board": '
            '{"url": "slack://…", "for_people": true}} for a room that may be a person’s own address.',
        ) from None


def _room(said):
    room = Room(url=said) if isinstance(said, str) else Room(**said)
    if not isinstance(room.url, str) or not isinstance(room.for_people, bool):
        raise TypeError
    return room


def url_of(address, rooms, *, is_own=False):
    """The Apprise URL that ``address`` stands for. ``is_own``: it is a person's own, who may have written it.

    Raises Skipped for an address that is none, Rejected for a room that is not there.
    """
    found = ADDRESS.fullmatch(address.strip())
    if not found:
        whole = (
            "It is a whole URL, with its secrets: put that into CHAT_ROOMS under a name, and write the name."
        )
        raise Skipped("invalid_address", whole if "://" in address else "Write a room’s name, or name:whom.")
    room, to = rooms.get(found["name"]), found["to"]
    if room is None:
        raise Rejected("unknown_room", "CHAT_ROOMS has no room of that name.")
    if (TO in room.url) != (to is not None):
        missing = "It says nothing of whom it is for: write name:whom."
        raise Skipped(
            "invalid_address",
            missing if TO in room.url else "That room has no place for whom it is for: write its name alone.",
        )
    if is_own and not room.for_people and (to is None or not is_person(to, room.url)):
        raise Skipped("invalid_address", SHARED)
    # Before the first slash it would choose the server.
    if TO in room.url.partition("://")[2].partition("/")[0]:
        raise Rejected("not_configured", f"In the URL of that room {TO} must come after the host.")
    return room.url.replace(TO, quote(to or "", safe=""))


def is_ones_own(address, rooms):
    """Whether an address names one person. Of a room that is not known here, its own words must do."""
    found = ADDRESS.fullmatch(address.strip())
    room, to = (rooms.get(found["name"]), found["to"]) if found else (None, None)
    return to is not None and (is_person(to, room.url) if room else bool(ANYBODY.fullmatch(to)))


def is_person(to, url):
    """Whether ``to`` names one person to the service of ``url``, and no room or channel."""
    return bool(PEOPLE.get(url.partition("://")[0].lower(), ANYBODY).fullmatch(to))


def plugin_for(url):
    """Apprise's plugin for ``url``, which waits for nothing and repeats nothing. Raises Rejected."""
    if url.partition("://")[0].lower() in REFUSED:
        raise Rejected("refused_here", "Apprise would not speak over HTTPS to a chat service there.")
    plugin = _apprise().Apprise.instantiate(url, asset=_asset())
    if plugin is None:
        raise Rejected("not_configured", "Apprise cannot read the URL of that room.")
    plugin.throttle, plugin.retry = _wait_for_nothing, 0
    # One message is one: what is too long is cut off before.
    plugin.overflow_mode = _apprise().OverflowMode.UPSTREAM
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
