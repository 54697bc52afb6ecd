"""Draws templates from the grammar of the template language, and typed data for them, by a seeded Random.

A tag or filter that is added to the language is drawn by being there; `tests.attacks.test_fuzz` holds it.
"""

import datetime as dt
import json
import uuid
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Any

from django.template import TemplateSyntaxError
from django.template.base import FilterExpression

from notifier.templating.data import FrozenObject
from notifier.templating.filters import LIBRARY

TEXTS = [
    "", " ", "a", "Ünïcode 🎉", "</b>", "<script>alert(1)</script>", "a" * 1000, "\t " * 5000,
    "<p>x</p>" * 500, "<style" * 2000, "<!--" * 1000, "\n" * 3000, "http://a.example/?b=1&c=2 ",
    "x" * 100_000, "é" * 60_000,
    "{{ user.email }}", "{% now 'Y' %}", "1" * 4000, "‮\u2028\x1b", "0", "-1", "1e999", "&amp;" * 300,
]  # fmt: skip
# How much text an event has; the last is about what one holds at most.
CHARACTERS = (2_000, 2_000, 2_000, 20_000, 250_000)
NUMBERS = [0, 1, -1, 7, 2**31, 2**63, 10**30, 10**300, -(10**99), 1.5, 1e308, -0.0, True]
DECIMALS = ["0", "49.90", "1E+99", "1E-99", "-9.99999999999999999999999999", "1E+2"]
MOMENTS = [
    dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC), dt.datetime.min, dt.datetime.max,
    dt.datetime.max.replace(tzinfo=dt.UTC), dt.datetime.min.replace(tzinfo=dt.UTC), dt.date.min, dt.date.max,
    dt.time.max, dt.timedelta.max, dt.timedelta.min, dt.timedelta(seconds=-1), uuid.UUID(int=0), None,
]  # fmt: skip
# A filter's argument, and a tag's words.
ARGUMENTS = [
    '""', '"x"', '","', "0", "1", "-1", "3", "99", "1000", "250000", "999999999", "-999999999", '"1:"',
    '":-1"', '"::99999"', '"Y-m-d H:i"', '"d"', '"' + "l" * 500 + '"', '"' + "long-" * 400 + '"',
    '"a,b,c"', "1.5",
    '"<b>"', '"é"',
]  # fmt: skip
WHOLE = ["0", "1", "2", "80", "1000", "250000", "-1", "number"]
WORDS = ['""', '"x"', '","', '" "', '"<b>"', '"é"', '"' + "l" * 500 + '"', "title", "text"]
ARGUMENTS_OF = {
    **dict.fromkeys(("divisibleby", "get_digit", "floatformat", "wordwrap"), WHOLE),
    **dict.fromkeys(("truncatechars", "truncatechars_html", "truncatewords", "truncatewords_html"), WHOLE),
    **dict.fromkeys(("cut", "join", "default", "default_if_none", "urlencode", "pluralize", "yesno"), WORDS),
    **dict.fromkeys(("timesince", "timeuntil"), ["moment"]),
    **dict.fromkeys(("date", "time"), ['"Y-m-d H:i"', '"c"', '"' + "l" * 500 + '"', "title"]),
    "add": [*WHOLE, *WORDS],
    "slice": ['":1"', '"1:"', '":-1"', '"::99999"', '"::-1"'],
}  # fmt: skip
FORMATS = [each for each in ARGUMENTS if each.startswith('"')]
HTML = [
    "<p>", "</p>", "<b>", "</b>", "<table><tr><td>", "</table>", "<ul><li>", "<a href='/x/'>", "</a>", "<br>",
    "<pre>", "</pre>", '<div style="white-space: pre">', "</div>", "<style>p{color:red}</style>", "<style>",
    "</style>", "<!--", "-->", '<b a="</b>">', "<b><!--</b>-->", "<svg><g>", "<template>", "<textarea>",
    "<![CDATA[", "<script>", "</script>", '<div hidden style="display:none">', "<img alt='x' src='/i.png'>",
    "<?xml version='1.0'?>", "<select><option>", "&amp;", "&#x1F389;", "<p><b><i><u>",
]  # fmt: skip
OPERATORS = ["==", "!=", "<", ">", "<=", ">=", "in", "not in", "is", "is not", "and", "or"]
NAMES = ["title", "text", "number", "amount", "moment", "flag", "nothing", "items", "map", "instance", "deep"]
OF_PERSON = ["user.first_name", "user.email", "user.about", "user.orders.all", "user", "preferences_url"]
ITEMS = ["items", "map.items", "instance.all", "user.orders.all", "text", "deep"]
INNER = ["", "", "", ".0", ".name", ".first", ".last", ".all", ".text", ".a.b"]


class Grammar:
    """One draw after another, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._names: list[str] = []
        self._room = 0

    def pick(self, choices: Any) -> Any:
        return self.random.choice(choices)

    def chance(self, one_in: int) -> bool:
        return self.random.randrange(one_in) == 0

    def parts(self) -> dict[str, str]:
        """A text for each part of a content."""
        html = self.source(html=True)
        return {
            "subject": self.source(most=3),
            "text": "" if self.chance(2) else self.source(),
            "html": html * min(self.pick((1, 1, 2, 20)), 65_000 // (len(html.encode()) or 1) or 1),
            "link": self.pick(("", "/x/", self.value(), self.source(most=1))),
            "icon": self.pick(("", self.source(most=1))),
        }

    def source(self, *, html: bool = False, most: int = 8, depth: int = 0) -> str:
        """A template's source of at most that many pieces, each of which may hold others."""
        pieces = [self._piece(html, depth) for _ in range(self.random.randint(0, most))]
        text = "".join(pieces)
        times = self.pick((1, 1, 1, 5, 40)) if depth == 0 and most > 1 else 1
        return text * min(times, 65_000 // (len(text.encode()) or 1) or 1)

    def value(self) -> str:
        return f"{{{{ {self.expression()} }}}}"

    def expression(self, *, filters: int = 4) -> str:
        """A name or a literal, with filters."""
        chosen = self.pick((NAMES, NAMES, OF_PERSON, self._names or NAMES, ARGUMENTS))
        text = self.pick(chosen) + (self.pick(INNER) if chosen is NAMES else "")
        for _ in range(min(self.random.randint(0, filters), self.random.randint(0, filters))):
            text += f"|{self._filter()}"
        return text

    def _filter(self) -> str:
        name = self.pick(sorted(LIBRARY.filters))
        if name not in WITH_ARGUMENT or name in ALONE and self.chance(2):
            return name
        fitting = ARGUMENTS_OF.get(name, ARGUMENTS)
        return f"{name}:{self.pick((*ARGUMENTS, *NAMES, *self._names) if self.chance(8) else fitting)}"

    def condition(self) -> str:
        words = [self.expression(filters=1)]
        for _ in range(self.random.randint(0, 3)):
            words += [self.pick(OPERATORS), self.pick(("", "not ")) + self.expression(filters=1)]
        return " ".join(words)

    def _piece(self, html: bool, depth: int) -> str:
        kind = self.random.randrange(4)
        if kind == 0:
            return self.pick(HTML) * self.pick((1, 1, 1, 30)) if html else self.pick(TEXTS)[:200]
        if kind == 1:
            return self.value()
        return TAGS[self.pick(sorted(TAGS))](self, html, depth)

    def body(self, html: bool, depth: int) -> str:
        return self.source(html=html, most=3, depth=depth + 1) if depth < 6 else self.value()

    def bound(self) -> str:
        """A name that is bound here, and read later."""
        name = f"name{self.random.randrange(6)}"
        self._names.append(name)
        return name

    def data(self, depth: int = 0) -> Any:
        """A value of any type that an event holds."""
        kind = self.random.randrange(9 if depth < 4 else 5)
        if kind <= 1:
            return self._text()
        if kind == 2:
            return self.pick(NUMBERS)
        if kind == 3:
            return Decimal(self.pick(DECIMALS))
        if kind == 4:
            return self.pick(MOMENTS)
        if kind == 5:
            item = self.data(depth + 1)
            return self._list(item, self.pick((0, 1, 3, 500 if depth < 2 else 20)))
        inner = {name: self.data(depth + 1) for name in ("name", "text", "a", "all", "first")[: kind - 3]}
        return inner if kind < 8 else FrozenObject(inner | {"": self._text()})

    def _text(self) -> str:
        text = self.pick(TEXTS)
        text = text if len(text) <= self._room else "a"
        self._room -= len(text)
        return text

    def _list(self, item: Any, times: int) -> list[Any]:
        """As many of an item as an event has room for."""
        # Not its own text, which of an object is a name alone.
        size = len(json.dumps(item, default=str)) + 1
        times = max(0, min(times, self._room // size))
        self._room -= size * times
        return [item] * times

    def context(self) -> dict[str, Any]:
        """Data for NAMES."""
        self._room = self.pick(CHARACTERS)
        found = {
            "title": self._text(), "text": self._text(), "number": self.pick(NUMBERS),
            "amount": Decimal(self.pick(DECIMALS)), "moment": self.pick(MOMENTS), "flag": self.chance(2),
            "nothing": None, "items": self._list(self.data(2), self.pick((0, 1, 3, 20, 500))),
            "map": {name: self.data(2) for name in ("name", "text", "a")},
            "instance": FrozenObject(
                {"": self._text(), "name": self.data(2), "all": self._list(self.data(3), 20)}
            ),
        }  # fmt: skip
        found |= {name: self.data() for name in found if self.chance(8)}
        deep: Any = "end"
        for _ in range(self.pick((3, 30, 90))):
            deep = [deep] if self.chance(2) else {"a": deep}
        return found | {"deep": deep}

    def person(self) -> dict[str, Any]:
        """Data for OF_PERSON."""
        self._room = self.pick(CHARACTERS)
        return {"first_name": self._text(), "email": "ann@example.com", "about": self.data()} | {
            "orders": {"all": self._list(self.data(2), self.pick((0, 2, 500)))}
        }


def _for(draw, html, depth):
    items = draw.pick(ITEMS) if draw.chance(2) else draw.expression(filters=1)
    name = draw.bound()
    loop = f"{{% for {name} in {items}{draw.pick(('', ' reversed'))} %}}{draw.body(html, depth)}"
    return f"{loop}{draw.pick(('', '{% empty %}none'))}{{% endfor %}}"


def _if(draw, html, depth):
    more = f"{{% elif {draw.condition()} %}}{draw.body(html, depth)}" if draw.chance(2) else ""
    return f"{{% if {draw.condition()} %}}{draw.body(html, depth)}{more}{{% else %}}no{{% endif %}}"


def _with(draw, html, depth):
    value = draw.expression()
    return f"{{% with {draw.bound()}={value} %}}{draw.body(html, depth)}{{% endwith %}}"


def _cycle(draw, html, depth):
    words = " ".join(draw.expression(filters=0) for _ in range(draw.random.randint(2, 4)))
    return f"{{% cycle {words}{draw.pick(('', f' as {draw.bound()}'))} %}}"


def _firstof(draw, html, depth):
    words = " ".join(draw.expression(filters=2) for _ in range(draw.random.randint(1, 3)))
    return f"{{% firstof {words}{draw.pick(('', f' as {draw.bound()}'))} %}}"


def _widthratio(draw, html, depth):
    first, second = draw.expression(filters=0), draw.expression(filters=0)
    return f"{{% widthratio {first} {second} {draw.pick(('1', '100', '999999999999', 'number'))} %}}"


def _translate(draw, html, depth):
    return f"{{% translate {draw.expression(filters=1)}{draw.pick(('', f' as {draw.bound()}'))} %}}"


def _around(tag: str) -> Callable[[Grammar, bool, int], str]:
    return lambda draw, html, depth: f"{{% {tag} %}}{draw.body(html, depth)}{{% end{tag} %}}"


TAGS: dict[str, Callable[[Grammar, bool, int], str]] = {
    "comment": _around("comment"),
    "cycle": _cycle,
    "firstof": _firstof,
    "for": _for,
    "if": _if,
    "ifchanged": _around("ifchanged"),
    "now": lambda draw, html, depth: f"{{% now {draw.pick(FORMATS)} %}}",
    "spaceless": _around("spaceless"),
    "templatetag": lambda draw, html, depth: "{% templatetag openblock %}",
    "trans": _translate,
    "translate": _translate,
    "verbatim": lambda draw, html, depth: "{% verbatim %}{{ x }}{% endverbatim %}",
    "widthratio": _widthratio,
    "with": _with,
}


def _taking(number: int) -> frozenset[str]:
    """The filters that can be given so many arguments beside their value."""
    found = set()
    for name, function in LIBRARY.filters.items():
        with suppress(TemplateSyntaxError):
            FilterExpression.args_check(name, function, [(False, "")] * number)
            found.add(name)
    return frozenset(found)


ALONE, WITH_ARGUMENT = _taking(0), _taking(1)
