"""What a rendering may cost: its work is counted where values are made and looked through, in bytes.

A byte stands for some 60 ns of a processor, at most: most filters need far less for one, the slow ones are
counted by a factor. So the bound holds for time and for memory at once.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from django.template import Context, Node
from django.template.base import FilterExpression
from django.template.defaulttags import CycleNode, IfChangedNode, IfNode, NowNode
from django.template.smartif import TokenBase
from django.utils.safestring import SafeString

from ..exceptions import TemplateTooLarge
from .data import THE_CONTEXT, FrozenObject
from .paths import expressions_of, variables_of

# 64 times what a message may hold. A page of 500 lines with twenty values each, each through three filters,
# takes a third.
MAX_WORK_BYTES = 16 * 1024 * 1024
# Lists in lists: Python walks them by calling itself.
MAX_DATA_DEPTH = 100
# A step of a node or a filter that makes nothing large.
STEP = 40
# A sign of a date's format may be the name of a month, looked up in a catalogue.
FORMAT_SIGN = 60
# Digits of a number that a filter takes; to write one out takes their square.
MAX_DIGITS = 300

# Filters that only look at what they are given, however long it is.
LOOKING = frozenset(
    ("default", "default_if_none", "first", "last", "length", "slice", "timesince", "timeuntil", "yesno")
)
# How much longer than the plain ones a filter takes for a byte of its input.
FACTORS = {
    "linebreaks": 4,
    "slugify": 3,
    "striptags": 8,
    "truncatechars_html": 20,
    "truncatewords_html": 16,
    "wordwrap": 5,
}
# Steps of a filter whose every call is slow.
CALLS = {"date": 6, "filesizeformat": 4, "floatformat": 6, "time": 6, "timesince": 6, "timeuntil": 6}

# Values that hold no others.
TEXTS = frozenset((str, SafeString))
PLAIN = TEXTS | {int, float, bool, type(None), dt.date, dt.datetime}

COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">=", "in", "not in"))
# Texts are compared, and looked for in others, many bytes at a time.
TEXT_IN_COMPARISONS = 16


class WorkContext(Context):
    """A context that counts the work done with it."""

    work, most_work = 0, MAX_WORK_BYTES

    def count_work(self, number: int) -> None:
        """Count ``number`` bytes. TemplateTooLarge past the bound, and at each call from then on: Django's
        ``if`` takes an error in a comparison for "false".
        """
        self.work += number
        if self.work > self.most_work:
            raise TemplateTooLarge(
                f"The template works through more than {self.most_work:,} bytes. Let its loops run less "
                "often, or its filters and comparisons work on less text."
            )


def weigh(value: Any, *, is_compared: bool = False) -> int:
    """The bytes that plain data takes, with all that is in it; more than MAX_WORK_BYTES where it is nested
    too deep. ``is_compared``: what it takes to compare it, or to look for something in it.
    """
    total, level = 0, [value]
    for _ in range(MAX_DATA_DEPTH):
        inner: list[Any] = []
        for each in level:
            if is_compared and isinstance(each, (str, FrozenObject)):
                # Objects are the same where their keys are, or what stands for them, whatever else they hold.
                total += STEP + len(str(each)) // TEXT_IN_COMPARISONS
                continue
            total += each.__sizeof__()
            if isinstance(each, dict):
                inner += each
                inner += each.values()
            elif isinstance(each, (list, tuple)):
                inner += each
        if not inner or total > MAX_WORK_BYTES:
            return total
        level = inner
    return MAX_WORK_BYTES + 1


def of_plain(name: str) -> tuple[int, int]:
    """What a call of the filter ``name`` takes, and each byte of a value that holds no others."""
    return STEP * CALLS.get(name, 1), 0 if name in LOOKING else FACTORS.get(name, 1)


def input_cost(name: str) -> Callable[..., int]:
    """A function of a value and arguments: what the filter ``name`` takes for them, whatever it makes.

    It raises TemplateTooLarge for a decimal number such as 1E+1000000, of which a filter makes a whole one.
    """
    call, factor = of_plain(name)
    is_looking = name in LOOKING
    of_argument = FORMAT_SIGN if name in ("date", "time") else 1

    def cost(value: Any, *arguments: Any) -> int:
        found = call
        if type(value) in PLAIN:
            found += factor * value.__sizeof__()
        elif type(value) is Decimal:
            _refuse_digits(name, value)
        elif not is_looking and not (name == "pluralize" and isinstance(value, (list, dict))):
            found += factor * weigh(value)
        for each in arguments:
            if isinstance(each, str):
                found += of_argument * len(each)
            elif type(each) in PLAIN:
                found += each.__sizeof__()
            else:
                found += weigh(each)
                if type(each) is Decimal:
                    _refuse_digits(name, each)
        return found

    return cost


def _refuse_digits(name: str, number: Decimal) -> None:
    if number.is_finite() and number.adjusted() > MAX_DIGITS:
        raise TemplateTooLarge(f"The filter “{name}” takes no number of more than {MAX_DIGITS} digits.")


def cost_of(node: Node) -> int:
    """What a node takes by itself, without its filters and what is in it."""
    expressions = expressions_of(node)
    if type(node) is CycleNode:  # one at a time
        expressions = expressions[:1]
    looked_up = sum(len(variable.lookups) for each in expressions for variable in variables_of(each))
    signs = len(node.format_string) if type(node) is NowNode else 0
    return STEP * (1 + len(expressions) + looked_up) + FORMAT_SIGN * signs


def count_comparisons(node: Node) -> None:
    """Have what ``node`` compares counted at each rendering, by a filter that changes nothing."""
    if type(node) is IfNode:
        for condition, _ in node.conditions_nodelists:
            for expression in _compared(condition, False):
                expression.filters.append((compared, [THE_CONTEXT]))
    elif type(node) is IfChangedNode:
        for expression in node._varlist:
            expression.filters.append((compared, [THE_CONTEXT]))


def compared(value: Any, context: WorkContext) -> Any:
    """A filter that counts what its value takes in a comparison."""
    kind = type(value)
    if kind in PLAIN and kind not in TEXTS:
        context.work += STEP  # looked at by what comes next
    else:
        context.count_work(weigh(value, is_compared=True))
    return value


compared._filter_name = "compared"  # type: ignore[attr-defined]


def _compared(token: TokenBase | None, is_inside: bool) -> Iterator[FilterExpression]:
    if token is None:
        return
    if token.first is None:
        if is_inside:
            yield token.value
        return
    for side in (token.first, token.second):
        yield from _compared(side, is_inside or token.id in COMPARISONS)
