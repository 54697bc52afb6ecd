"""Draws ways through the models for templates and conditions, and JSON that people bring."""

import json
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models

from notifier.templating.fields import accessor_of
from notifier.templating.secret_names import may_be_secret
from tests.support.grammar import Grammar

MOST_STEPS = 7
NOT_THERE = ("password", "session_set", "_state", "delete", "objects", "nothing", "pk", "model", "")
# JSON as somebody may have put it into a column, in its own text: Python's own writing would be too mild.
JSONS = [
    '{"$t": "decimal", "v": "1E+1000000"}', '{"$t": "datetime", "v": 1}', '{"$t": "dict", "v": [[1, 2]]}',
    '{"": "me", "model": "auth.user", "pk": 1}', '{"weight": {"$t": "decimal", "v": "1E+5000000"}}',
    '{"weight": -1e308}', '{"weight": ' + "9" * 4000 + "}", "[" * 500 + "]" * 500,
    '{"a":' * 500 + "1" + "}" * 500, '{"password": "x", "access_token": "y", "weight": 5}',
    '[["$t", "decimal"]]', '"\\ud83c\\udf89"',
    "[null]",
    '{"weight": "1E+1000000"}', '{"a": {"b": [' + "1," * 20_000 + "1]}}", '{"' + "k" * 5000 + '": 1}',
]  # fmt: skip
CONDITIONS = [
    "", "", "", "instance.details.weight|add:0 > 5", "instance.details.weight > 5",
    "instance.details == 5", "instance.pk", "instance.details.a.b.0 == 1", "not instance.nothing", "created",
    "instance.details|length > 3", "instance.details.weight|floatformat:2 == '1'",
    "instance.details.weight|divisibleby:7",
    "instance.groups.all", "'x' in instance.body", "instance.friends.count > 5", "instance.title|wordwrap:1",
]  # fmt: skip


def condition_of(draw: Grammar) -> str:
    return draw.pick(CONDITIONS) if draw.chance(3) else ""


def details(draw: Grammar) -> Any:
    return json.loads(draw.pick(JSONS))


def source_of(draw: Grammar, model: type[models.Model]) -> str:
    """A template of several ways that begin at ``instance`` or ``user``."""
    lines = [_walk(draw, model, "instance") for _ in range(draw.random.randint(1, 2))]
    if draw.chance(6):
        lines.append(_walk(draw, get_user_model(), "user"))
    return "".join(lines)


def _walk(draw, model, path, steps=0):
    """``{{ path.… }}``, or a loop over what it leads to, and so on in it."""
    fields = [each for each in model._meta.get_fields() if accessor_of(each)]
    if steps >= MOST_STEPS or draw.chance(3):
        columns = [each.attname for each in model._meta.concrete_fields if not may_be_secret(each.name)]
        name = draw.pick(NOT_THERE if draw.chance(40) else columns)
        return f"{{{{ {path}{'.' if name else ''}{name} }}}}"
    # Ways that go on are drawn more often than those that end.
    leading = [each for each in fields if each.is_relation and each.related_model]
    leading = [each for each in leading if not may_be_secret(accessor_of(each))]
    field = draw.pick(leading or fields)
    step = f"{path}.{accessor_of(field)}"
    if not (field.is_relation and field.related_model):
        return f"{{{{ {step} }}}}"
    if not (field.many_to_many or field.one_to_many):
        return _walk(draw, field.related_model, step, steps + 1)
    name = f"each{steps}"
    inner = "".join(_walk(draw, field.related_model, name, steps + 1) for _ in range(draw.pick((1, 1, 2))))
    return f"{{% for {name} in {step}.all %}}{inner}{{% endfor %}}"
