"""A row of each model, with a mark in each text column: to look afterwards who can read which.

Rows are written past all validation. A model or column that is added later has its mark by being there.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models
from django.utils import timezone

from notifier.channels.recipient import Recipient

APPS = ("notifier", "auth", "admin", "axes", "demo")
TEXTS = (models.CharField, models.TextField)
# What has to be what it says, or the page that shows the row is another one: column → value.
WORKING: dict[str, Any] = {
    "channel": "email",
    "language": "en",
    "time_zone": "UTC",
    "verb": "post_save",
    "model": "demo.post",
    "object_pk": "",
    "on": "",
    "condition": "",
    "actor_model": "",
    "actor_pk": "",
    "target": "",
    "follows": "",
    "followed_by": "",
    "file": "",
    "paths": "",
    "scope": "trigger:0",
}
# JSON that code reads by its shape: (model, column) → value, where `mark` stands for the mark.
SHAPES: dict[tuple[str, str], Any] = {
    ("notifier.event", "data"): {"title": "mark", "user": {"name": "mark"}},
    ("notifier.event", "explanation"): [],
    ("notifier.event", "plan"): [],
    ("notifier.event", "cursor"): {},
    ("notifier.event", "causes"): None,
    ("notifier.event", "dead_ends"): ["mark"],
    ("notifier.audience", "callables"): [],
    ("notifier.subscription", "channels"): ["email"],
    ("notifier.template", "providers"): [],
    ("notifier.contentversion", "paths"): {},
}
Mark = Callable[[models.Field], str]
Planted = dict[type[models.Model], models.Model]


def planted_models(labels: Iterable[str] = APPS) -> list[type[models.Model]]:
    """The models that have tables of their own, those that others lead to first."""
    found = [model for label in labels for model in apps.get_app_config(label).get_models()]
    found = [model for model in found if model._meta.managed and not model._meta.proxy]
    ordered: list[type[models.Model]] = []

    def put(model, above=()):
        if model in ordered or model in above or model not in found:
            return
        for field in model._meta.concrete_fields:
            if field.is_relation and not field.null:
                put(field.related_model, (*above, model))
        ordered.append(model)

    for model in found:
        put(model)
    return ordered


def text_columns(model: type[models.Model]) -> list[models.Field]:
    """The columns of ``model`` that hold text, JSON as well; not the keys of other rows."""
    return [
        each
        for each in model._meta.concrete_fields
        if isinstance(each, (*TEXTS, models.JSONField)) and not each.is_relation
    ]


def plant(
    mark: Mark, *, user: models.Model, labels: Iterable[str] = APPS, working: dict[str, Any] | None = None
) -> Planted:
    """Write one row of each model, of the person ``user`` and related to one another; model → row.

    ``mark`` gives the text of a column, cut to what it holds. ``working`` comes before WORKING, for a second
    set of rows where a column is unique.
    """
    working = WORKING | (working or {})
    rows: Planted = {get_user_model(): user}
    for model in planted_models(labels):
        if model not in rows:
            row = model(**{each.attname: value for each, value in _values(model, mark, rows, working)})
            model._base_manager.bulk_create([row])
            rows[model] = model._base_manager.order_by("-pk").first() if row.pk is None else row
            _relate(rows[model], rows)
    return rows


def _values(model, mark, rows, working) -> Iterator[tuple[models.Field, Any]]:
    for field in model._meta.concrete_fields:
        if field.auto_created and field.primary_key and not field.is_relation or field.generated:
            continue
        yield field, _value(field, mark, rows, working)


def _value(field, mark, rows, working):
    key = field.model._meta.label_lower, field.name
    if field.is_relation:
        related = rows.get(field.related_model)
        if related is None and not field.null:
            related = field.related_model._base_manager.order_by("pk").first()
        return related and getattr(related, field.target_field.attname)
    if isinstance(field, models.JSONField):
        return _marked(SHAPES.get(key, {"mark": "mark"}), mark(field))
    if field.name == "recipient":
        return str(Recipient.of_user(rows[get_user_model()].pk))
    if field.choices:
        return next(value for value, _label in field.flatchoices if value != "")
    if isinstance(field, models.GenericIPAddressField):
        return "192.0.2.1"
    if isinstance(field, TEXTS):
        return working[field.name] if field.name in working else mark(field)[: field.max_length]
    return _other(field)


def _other(field):
    if field.has_default():
        return field.get_default()
    if field.null:
        return None
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    return field.to_python(1)


def _marked(value, text):
    if isinstance(value, dict):
        return {name: _marked(each, text) for name, each in value.items()}
    if isinstance(value, list):
        return [_marked(each, text) for each in value]
    return text if value == "mark" else value


def _relate(row, rows):
    for field in row._meta.many_to_many:
        if (related := rows.get(field.related_model)) is not None and field.related_model is not type(row):
            getattr(row, field.name).add(related)


def columns_with(mark: str) -> dict[str, list[Any]]:
    """Where ``mark`` stands in the whole database: ``app.model.column`` → keys of the rows."""
    found: dict[str, list[Any]] = {}
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.managed or model._meta.proxy:
            continue
        for column in text_columns(model):
            for key, value in model._base_manager.values_list("pk", column.attname):
                if mark in str(value):
                    found.setdefault(f"{model._meta.label_lower}.{column.name}", []).append(key)
    return found
