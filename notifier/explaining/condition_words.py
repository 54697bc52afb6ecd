"""A condition as people say it, where it is simple enough to be said. Called by ``summaries``."""

import re

from django.core.exceptions import FieldDoesNotExist
from django.utils.text import smart_split
from django.utils.translation import gettext as _, gettext_lazy

# What a comparison says of a value as it is, and of one as it was.
OPERATORS = {
    "==": (gettext_lazy("is"), gettext_lazy("was")),
    "is": (gettext_lazy("is"), gettext_lazy("was")),
    "!=": (gettext_lazy("is not"), gettext_lazy("was not")),
    ">": (gettext_lazy("is over"), gettext_lazy("was over")),
    ">=": (gettext_lazy("is at least"), gettext_lazy("was at least")),
    "<": (gettext_lazy("is under"), gettext_lazy("was under")),
    "<=": (gettext_lazy("is at most"), gettext_lazy("was at most")),
}
WORDS = {"True": gettext_lazy("yes"), "False": gettext_lazy("no"), "None": gettext_lazy("empty")}
NUMBER = re.compile(r"-?\d+(\.\d+)?")


class _TooMuch(Exception):
    """It cannot be said without leaving something out."""


def describe(condition, model):
    """“its total is over 100 and its status is Paid”; the condition itself, quoted, where words would not be
    exact.
    """
    text = " ".join(condition.split())
    try:
        return _clauses(list(smart_split(text)), model)
    except _TooMuch:
        return _("“%s” holds") % text


def _clauses(tokens, model):
    # Where both occur, a reader would have to know which binds first: the other is then part of a clause,
    # which none has words for.
    joint = next((token for token in tokens if token in ("and", "or")), None)
    clauses, current = [], []
    for token in [*tokens, joint]:
        if token == joint:
            clauses.append(_clause(current, model))
            current = []
        else:
            current.append(token)
    return {"and": _(" and "), "or": _(" or "), None: ""}[joint].join(clauses)


def _clause(tokens, model):
    match tokens:
        case ["not", path]:
            return _("%s is not set") % _subject(path, model)[0]
        case [path]:
            return _("%s is set") % _subject(path, model)[0]
        case [path, "is", "not", value]:
            return _compare(path, "!=", value, model)
        case [value, "in", path]:
            return _("%(subject)s contains %(value)s") % {
                "subject": _subject(path, model)[0],
                "value": _value(value, None),
            }
        case [path, operator, value] if operator in OPERATORS:
            return _transition(path, operator, value, model) or _compare(path, operator, value, model)
    raise _TooMuch


def _transition(left, operator, right, model):
    """“its status has changed” for ``previous.status != instance.status``, either way round."""
    (root, _dot, name), (other_root, _dot, other_name) = left.partition("."), right.partition(".")
    if {root, other_root} != {"previous", "instance"} or name != other_name:
        return ""
    subject = _subject(f"instance.{name}", model)[0]
    if operator == "!=":
        return _("%s has changed") % subject
    if operator == "==":
        return _("%s has not changed") % subject
    raise _TooMuch


def _compare(path, operator, value, model):
    subject, field = _subject(path, model)
    words = OPERATORS[operator][path.startswith("previous.")]
    return f"{subject} {words} {_value(value, field)}"


def _subject(path, model):
    """“its customer’s first name” and the field, for ``instance.customer.first_name``."""
    root, *names = path.split(".")
    if root not in ("instance", "previous") or not names or model is None:
        raise _TooMuch
    words, field = [], None
    for name in names:
        try:
            field = model._meta.get_field(name)
        except (FieldDoesNotExist, AttributeError):
            raise _TooMuch from None
        words.append(str(getattr(field, "verbose_name", name)))
        model = field.related_model
    return _("its %s") % _("’s ").join(words), field


def _value(literal, field):
    if literal in WORDS:
        return str(WORDS[literal])
    if NUMBER.fullmatch(literal):
        return _choice(field, literal) or literal
    if len(literal) > 1 and literal[0] == literal[-1] and literal[0] in "\"'":
        return _choice(field, literal[1:-1]) or f"“{literal[1:-1]}”"
    raise _TooMuch


def _choice(field, value):
    return next(
        (str(label) for key, label in getattr(field, "flatchoices", ()) or () if str(key) == value), ""
    )
