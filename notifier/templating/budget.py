"""How much one freeze may read and keep, counted while it reads: what is too much ends soon.

Called by ``snapshot``. The event that it was for fails, and says why.
"""

from typing import Any

from ..exceptions import DataRefused

MAX_OBJECTS = 5_000
# Lists within lists are a query each.
MAX_QUERIES = 500
# Four times what an event may take as JSON: what a condition reads is not kept, and can be more.
MAX_SIZE = 1024 * 1024
# Of dictionaries, lists and objects in one another. No path is longer than 24; the rest is somebody's JSON.
MAX_DEPTH = 64
# What a value takes beside its own characters.
VALUE_SIZE = 4
# No text can be made of a larger number: https://docs.python.org/3/library/stdtypes.html#int-max-str-digits
MAX_BITS = 14_000

LESS = "Let the template, the condition or the audience read less."
TOO_LONG = f"More than {MAX_SIZE} characters are read for one event. {LESS}"
TOO_DEEP = f"What is read for one event is nested more than {MAX_DEPTH} deep. {LESS}"


class Budget:
    """What one freeze has spent. Each ``spend`` raises DataRefused where it would be too much."""

    __slots__ = ("depth", "objects", "queries", "size")

    def __init__(self) -> None:
        self.objects = self.queries = self.size = self.depth = 0

    def spend_object(self) -> None:
        self.objects += 1
        if self.objects > MAX_OBJECTS:
            raise DataRefused(f"More than {MAX_OBJECTS} objects are read for one event. {LESS}")

    def spend_query(self) -> None:
        self.queries += 1
        if self.queries > MAX_QUERIES:
            raise DataRefused(
                f"More than {MAX_QUERIES} lists and objects are asked for one by one for one event. {LESS}"
            )

    def spend(self, characters: int) -> None:
        self.size += characters + VALUE_SIZE
        if self.size > MAX_SIZE:
            raise DataRefused(TOO_LONG)

    def go_down(self) -> None:
        """Into what holds others; ``depth`` is taken back by the caller."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise DataRefused(TOO_DEEP)

    def spend_scalar(self, value: Any) -> None:
        if isinstance(value, str | bytes | bytearray | memoryview):
            self.spend(len(value))
        elif isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise DataRefused(f"A number of more than {MAX_BITS * 3 // 10} digits is read. {LESS}")
        else:
            self.spend(0)

    def weigh(self, value: Any) -> None:
        """Refuse a document (dictionaries and lists) before it is copied; nothing is spent."""
        size, waiting = self.size, [(value, self.depth + 1)]
        while waiting:
            each, depth = waiting.pop()
            size += VALUE_SIZE + (len(each) if isinstance(each, str | bytes | dict | list | tuple) else 0)
            if size > MAX_SIZE or depth > MAX_DEPTH:
                raise DataRefused(TOO_DEEP if depth > MAX_DEPTH else TOO_LONG)
            if isinstance(each, dict | list | tuple):
                inner = each.values() if isinstance(each, dict) else each
                waiting += [(item, depth + 1) for item in inner]
