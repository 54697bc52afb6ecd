"""Refuses comparisons in a condition that can never be true, with what to write instead.

Called by ``models.rules.Trigger.clean``.
"""

from django.db import models
from django.template.smartif import Literal

from ..exceptions import ConditionRefused
from . import roots
from .condition_kinds import (
    DATE,
    DATETIME,
    DURATION,
    LIST,
    NUMBER,
    OBJECT,
    PLAIN,
    TEXT,
    TIME,
    TRUTH,
    UUID,
    find_field,
    kind_of_field,
)

EQUALITY = {"==", "!="}
ORDER = {"<", "<=", ">", ">="}
COMPARISONS = EQUALITY | ORDER | {"in", "not in", "is", "is not"}

# Of a change of a relation to many: https://docs.djangoproject.com/en/5.2/ref/signals/#m2m-changed
ACTIONS = ("pre_add", "post_add", "pre_remove", "post_remove", "pre_clear", "post_clear")
TEXT_FILTERS = (
    "capfirst cut date floatformat join lower oneline slugify striptags time title truncatechars "
    "truncatewords upper"
)
FILTERS = {"length": NUMBER, "wordcount": NUMBER} | dict.fromkeys(TEXT_FILTERS.split(), TEXT)
# What may stand beside what, besides two of a kind. A yes counts as 1, an object equals its own text.
COMPARABLE = [{NUMBER, TRUTH}, {OBJECT, TEXT}]
ADVICE = {
    (NUMBER, TEXT): "Write the number without quotation marks.",
    (TEXT, NUMBER): "Write it in quotation marks.",
    (TEXT, TRUTH): "Write it in quotation marks.",
    (TRUTH, TEXT): "Write True or False, without quotation marks.",
    (DATE, TEXT): 'Compare its text: {word}|date:"Y-m-d".',
    (DATETIME, TEXT): 'Compare its text: {word}|date:"Y-m-d", or {word}|date:"Y-m-d H:i".',
    (DATETIME, DATE): 'Compare their texts, each with |date:"Y-m-d".',
    (TIME, TEXT): 'Compare its text: {word}|time:"H:i".',
    (UUID, TEXT): "Compare its text: {word}|lower.",
    (OBJECT, NUMBER): "Compare its key: {word}.pk.",
    (OBJECT, UUID): "Compare its key: {word}.pk.",
    (LIST, NUMBER): "Compare how many there are: {word}|length.",
}
# Of a relation to many objects.
STEPS = {"count": NUMBER, "exists": TRUTH}
SCALARS = {NUMBER, TRUTH, DATE, DATETIME, TIME, DURATION, UUID}
MAX_CHOICES = 20


def check_comparisons(condition, trigger):
    """Raise ConditionRefused where ``condition`` compares what can never be the same, or never be in an
    order.
    """
    reader = _Reader(trigger)
    for node in _comparisons(condition.expression):
        reader.check(node)


def _comparisons(node):
    if node is None or isinstance(node, Literal):
        return
    if node.id in COMPARISONS:
        yield node
    yield from _comparisons(node.first)
    yield from _comparisons(node.second)


class _Reader:
    """Knows what a trigger's names stand for, as far as its models say."""

    def __init__(self, trigger):
        self.models = dict[str, type[models.Model] | None](roots.models_of(trigger))
        self.models["previous"] = roots.object_of(trigger)
        self.choices = {"action": list(ACTIONS)} if trigger.verb == "m2m_changed" else {}
        is_about_save = trigger.verb in ("pre_save", "post_save")
        self.kinds = {"verb": TEXT} | ({"created": TRUTH} if is_about_save else {})
        for name, declared in roots.types_of(trigger).items():
            if declared.is_list or declared.plain in PLAIN:
                self.kinds[name] = PLAIN[declared.plain] if declared.plain else LIST

    def check(self, node):
        sides = node.first, node.second
        if any(getattr(side, "id", "") in COMPARISONS for side in sides):
            raise ConditionRefused(
                f"One “{node.id}” compares two values. Write each comparison by itself, with "
                "“and” between them."
            )
        if node.id in ("is", "is not"):
            if not any(_word(side) in ("None", "True", "False") for side in sides):
                raise ConditionRefused(
                    f"“{node.id}” is for None, True and False alone. Write {_equality(node.id)} instead."
                )
            return
        kinds = [self._kind(side) for side in sides]
        if None not in kinds:
            self._check_kinds(node, *kinds)
        if node.id in EQUALITY:
            for side, other in (sides, sides[::-1]):
                self._check_choice(side, other)

    def _check_kinds(self, node, left, right):
        if node.id in ("in", "not in") and right in SCALARS:
            text = (
                f"{_quote(node.second)} is {right}, and nothing is in it. After “{node.id}” comes "
                "a list or text."
            )
            raise ConditionRefused(text)
        if _go_together(left, right, node.id):
            return
        sides = (left, right, node.first, node.second), (right, left, node.second, node.first)
        advice = [
            ADVICE[kind, other_kind].format(word=_word(side))
            for kind, other_kind, side, other in sides
            if (kind, other_kind) in ADVICE
            and (other_kind not in (TEXT, NUMBER, TRUTH) or _constant(other) is not None)
        ]
        raise ConditionRefused(
            f"{_quote(node.first)} is {left} and {_quote(node.second)} is {right}: "
            f"“{node.id}” cannot compare them. {''.join(advice[:1])}".strip()
        )

    def _check_choice(self, side, other):
        field, wanted = self._field(side), _constant(other)
        values = [value for value, _label in getattr(field, "flatchoices", ())]
        values = values or self.choices.get(_word(side), [])
        if not values or wanted in (None, "") or wanted in values or _shows(side):
            return
        shown = ", ".join(
            f'"{value}"' if isinstance(value, str) else str(value) for value in values[:MAX_CHOICES]
        )
        raise ConditionRefused(f"{_quote(side)} is never {_word(other)}. It is one of: {shown}.")

    def _kind(self, side):
        """The kind of ``side``, or None where only the moment tells."""
        if not isinstance(side, Literal):
            return TRUTH
        if side.value.filters:
            return FILTERS.get(side.value.filters[-1][0]._filter_name)
        if (constant := _constant(side)) is not None:
            return (
                TRUTH if isinstance(constant, bool) else NUMBER if isinstance(constant, int | float) else TEXT
            )
        if _shows(side):
            return TEXT
        if side.value.var.var in self.kinds:
            return self.kinds[side.value.var.var]
        if side.value.var.var in self.models:
            return OBJECT
        if (kind := STEPS.get(side.value.var.lookups[-1])) and self._is_of_many(side):
            return kind
        return kind_of_field(self._field(side), side.value.var.lookups)

    def _is_of_many(self, side):
        """Tell whether ``side`` ends in what a relation to many objects has itself: their number."""
        root, *names = [name for name in side.value.var.lookups[:-1] if name != "all"]
        field = self._walk(root, names)
        return field is not None and bool(field.one_to_many or field.many_to_many)

    def _field(self, side):
        """The model's field that ``side`` names without a filter, or None."""
        if (
            not isinstance(side, Literal)
            or side.value.filters
            or not side.value.is_var
            or not side.value.var.lookups
        ):
            return None
        root, *names = side.value.var.lookups
        return self._walk(root, names)

    def _walk(self, root, names):
        model, found = self.models.get(root), None
        for name in names:
            name = name.removeprefix("get_").removesuffix("_display") if name.endswith("_display") else name
            found = model and find_field(model, name)
            model = (
                found.related_model
                if found is not None and found.is_relation and name == found.name
                else None
            )
        return found


def _go_together(left, right, comparison):
    if comparison in ("in", "not in"):
        return right is not TEXT or left is TEXT
    if comparison in ORDER and {OBJECT, LIST} & {left, right}:
        return False
    return left == right or {left, right} in COMPARABLE


def _shows(side):
    """Tell whether ``side`` names a choice's label, ``instance.get_status_display``."""
    return isinstance(side, Literal) and _word(side).endswith("_display")


def _constant(side):
    """The number, text, True or False that ``side`` is, or None."""
    if not isinstance(side, Literal) or side.value.filters:
        return None
    if not side.value.is_var:
        return str(side.value.var)
    variable = side.value.var
    return {"True": True, "False": False}.get(variable.var) if variable.lookups else variable.literal


def _word(side):
    return side.text if isinstance(side, Literal) else side.id


def _quote(side):
    word = _word(side)
    return word if word[0] in "\"'" else f"“{word}”"


def _equality(name):
    return "==" if name == "is" else "!="
