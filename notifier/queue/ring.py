"""Rings, which go through SNS and SQS: ids, and nothing about anybody. Read at the edge, once, by
``parse``.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from ..exceptions import MalformedMessage

VERSION = 1
FANOUT = "fanout"
CANARIES = "canaries"
# A message stays under 1 KB: 50 ids of up to 16 digits. Larger ones were not written here.
CHUNK_SIZE = 50
MAX_MESSAGE_BYTES = 1024


@dataclass(frozen=True, kw_only=True)
class Ring:
    """A doorbell: these rows are ready for the function behind ``route``.

    ``ids`` are of canaries if it rings for such, else of events for the fan-out and of deliveries for a
    channel.
    """

    route: str
    ids: tuple[int, ...]
    canary: bool = False
    group: str = ""

    def body(self) -> str:
        """The JSON text that SNS carries."""
        key = CANARIES if self.canary else _key(self.route)
        return json.dumps({"v": VERSION, "route": self.route, key: self.ids}, separators=(",", ":"))


def _key(route: str) -> str:
    return "events" if route == FANOUT else "deliveries"


def rings_for(route: str, ids: Iterable[int], *, group: str = "") -> list[Ring]:
    """As many rings as ``ids`` need."""
    ids = iter(ids)
    chunks = iter(lambda: tuple(islice(ids, CHUNK_SIZE)), ())
    return [Ring(route=route, ids=chunk, group=group) for chunk in chunks]


def parse(body: str, *, route: str) -> Ring:
    """The Ring that ``body`` holds, for the function behind ``route``.

    Raises MalformedMessage, which never quotes the body.
    """
    if len(body.encode(errors="replace")) > MAX_MESSAGE_BYTES:
        raise MalformedMessage(f"longer than {MAX_MESSAGE_BYTES} bytes")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):  # the second from hundreds of brackets
        raise MalformedMessage("not JSON") from None
    if not isinstance(found, dict):
        raise MalformedMessage(f"a JSON {type(found).__name__}, not an object")
    if "command" in found:
        # Zappa's own handler would run what this key names; nothing here ever writes it.
        raise MalformedMessage("one with a “command”, which this project never sends")
    if type(found.get("v")) is not int or found["v"] != VERSION:  # True == 1
        raise MalformedMessage("of another version")
    if found.get("route") != route:
        raise MalformedMessage(f"for another route than {route}")
    key = CANARIES if CANARIES in found else _key(route)
    ids = found.get(key)
    if found.keys() != {"v", "route", key} or not isinstance(ids, list) or not ids:
        raise MalformedMessage(f"without a list of {key}, or with more than that")
    if not all(type(each) is int and 0 < each < 2**63 for each in ids):
        raise MalformedMessage(f"one whose {key} are not all positive whole numbers")
    return Ring(route=route, ids=tuple(ids), canary=key == CANARIES)
