"""Made-up data for what a template reads, by the types of the models' fields. Called by ``preview``."""

import datetime as dt
import uuid
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import timezone
from django.utils.text import capfirst

from ..rules import roots
from ..templating.data import FrozenObject
from ..templating.fields import fields_by_name

LIST_ITEMS = 2
# Lists within lists double what is made; from here on they have one item.
MOST_NESTED_LISTS = 4

PERSON = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "username": "ada",
    "email": "ada@example.com",
    "get_full_name": "Ada Lovelace",
    "get_short_name": "Ada",
    "": "ada",
}
# The name of a field says more than its type.
BY_NAME = {"get_absolute_url": "https://example.com/", "pk": 1, "id": 1}
NAMING_FIELDS = ("title", "name", "subject", "label")

BY_TYPE = {
    models.EmailField: lambda: "ada@example.com",
    models.URLField: lambda: "https://example.com/",
    models.BooleanField: lambda: True,
    models.IntegerField: lambda: 30,
    models.AutoField: lambda: 1,
    models.DecimalField: lambda: Decimal("49.90"),
    models.FloatField: lambda: 1.5,
    models.DateTimeField: lambda: _evening() + dt.timedelta(days=2),
    models.DateField: lambda: (_evening() + dt.timedelta(days=2)).date(),
    models.TimeField: lambda: dt.time(18, 0),
    models.DurationField: lambda: dt.timedelta(hours=1),
    models.UUIDField: lambda: uuid.UUID("12345678-1234-4234-8234-123456789abc"),
}

# Of an argument that is registered with its type.
PLAIN = {
    bool: lambda name: True,
    int: lambda name: 30,
    float: lambda name: 1.5,
    Decimal: lambda name: Decimal("49.90"),
    str: lambda name: BY_NAME.get(name, _in_words(name)),
    dt.datetime: lambda name: BY_TYPE[models.DateTimeField](),
    dt.date: lambda name: BY_TYPE[models.DateField](),
    dt.time: lambda name: BY_TYPE[models.TimeField](),
    dt.timedelta: lambda name: BY_TYPE[models.DurationField](),
    uuid.UUID: lambda name: BY_TYPE[models.UUIDField](),
}


def sample_data(tree, trigger=None):
    """Data for all that ``tree`` names, as an event of ``trigger`` would hold it: name → plain data.

    No query.
    """
    known = roots.types_of(trigger) if trigger else {}
    data = {name: _root(name, known.get(name), branch, trigger) for name, branch in tree.items()}
    given = {"verb": trigger.verb if trigger else "post_save", "created": True}
    return data | {name: value for name, value in given.items() if name in data}


def sample_person(tree):
    """A person who does not exist, with what ``tree`` names of them."""
    return sample_data({"user": tree})["user"]


def fill(held, sample, path=""):
    """``(data, names)``: ``held`` with what it lacks taken from ``sample``, and the dotted names of what was
    taken.
    """
    if isinstance(held, dict) and isinstance(sample, dict):
        whole, names = type(held)(held), []
        for key, value in sample.items():
            inner = f"{path}.{key}".strip(".")
            whole[key], found = fill(held[key], value, inner) if key in held else (value, [inner])
            # Of an object, these two are always there.
            names += [] if key in ("model", "pk") else found
        return whole, list(dict.fromkeys(names))
    if isinstance(held, list) and isinstance(sample, list) and sample:
        filled = [fill(item, sample[0], path) for item in held]
        return [item for item, _ in filled], list(
            dict.fromkeys(name for _, names in filled for name in names)
        )
    return held, []


def _root(name, declared, tree, trigger):
    """What an event offers as ``name``, of the type that is known or can be guessed."""
    if declared is None:
        return _value(_guessed(name, trigger), tree, name)
    if declared.is_list:
        return _list(name, declared.items, tree)
    if declared.plain in PLAIN and tree.keys() <= {""}:
        return PLAIN[declared.plain](name)
    return _value(declared.model, tree, name)


def _list(name, items, tree):
    """A list, or what is read by its ``.all``."""
    model = items.model if items else None
    if "all" in tree:
        return {"all": _value(model, {"*": tree["all"].get("*", {"": {}})}, name)}
    return _value(model, {"*": tree.get("*", {"": {}})}, name)


def _guessed(name, trigger):
    """The model of what nobody has said: mostly an argument that is called as the object is."""
    if name in ("user", "actor_object"):
        return get_user_model()
    model = roots.object_of(trigger) if trigger else None
    return model if model and name == model._meta.model_name else None


def _value(model, tree, name, lists=0):
    if "*" in tree:
        items = LIST_ITEMS if lists < MOST_NESTED_LISTS else 1
        return [_value(model, tree["*"], name, lists + 1) for _ in range(items)]
    if model:
        return _object(model, tree, lists)
    if tree.keys() <= {""}:
        return BY_NAME.get(name, _in_words(name))
    inner = {key: _value(None, branch, key or name, lists) for key, branch in tree.items()}
    return FrozenObject(inner) if "" in inner else inner


def _object(model, tree, lists):
    found = FrozenObject(model=model._meta.label_lower, pk=1)
    for name, branch in tree.items():
        found[name] = _attribute(model, name, branch, lists) if name else _text_of(model)
    return found


def _attribute(model, name, tree, lists):
    if issubclass(model, get_user_model()) and name in PERSON:
        return PERSON[name]
    field = _field(model, name)
    if field is None:
        return _value(None, tree, name, lists)
    if field.many_to_many or field.one_to_many:
        return _relation(field.related_model, tree, name, lists)
    if field.is_relation and field.related_model:
        is_key = name == getattr(field, "attname", None)
        return 1 if is_key else _value(field.related_model, tree, name, lists)
    if tree.keys() <= {""}:
        return _of_field(field, name)
    return _file(tree) if isinstance(field, models.FileField) else _value(None, tree, name, lists)


def _relation(model, tree, name, lists):
    """Objects that a relation leads to, and what else is read of them: how many there are."""
    whole = tree.get("all", {})
    items = _value(model, {"*": whole.get("*", {"": {}})}, name, lists)
    known = {"count": len(items), "exists": True}
    known |= {step: _value(model, whole[step], name, lists) for step in ("first", "last") if step in whole}
    found = {step: value for step, value in known.items() if step in tree or step in whole}
    return found | {"all": items}


def _file(tree):
    name = "example.pdf"
    known = {"": name, "name": name, "url": f"https://example.com/{name}"}
    return FrozenObject({part: known.get(part, name) for part in {"", *tree}})


def _field(model, name):
    """The field behind ``name``, of a reverse relation as well; ``get_status_display`` is of ``status``."""
    try:
        return model._meta.get_field(name.removeprefix("get_").removesuffix("_display"))
    except FieldDoesNotExist:
        return fields_by_name(model).get(name)


def _of_field(field, name):
    if choices := [pair for pair in field.flatchoices if pair[0]] if field.concrete else []:
        return str(choices[0][1]) if name.endswith("_display") else choices[0][0]
    if name in BY_NAME:
        return BY_NAME[name]
    made = next((BY_TYPE[kind]() for kind in type(field).__mro__ if kind in BY_TYPE), None)
    if made is not None:
        return made
    if field.concrete and name in NAMING_FIELDS:
        words = f"Example {field.model._meta.verbose_name}"
    else:
        words = capfirst(str(field.verbose_name)) if field.concrete else _in_words(name)
    return words[: getattr(field, "max_length", None)]


def _text_of(model):
    if issubclass(model, get_user_model()):
        return PERSON[""]
    named = next((field for name in NAMING_FIELDS if (field := _field(model, name))), None)
    return _of_field(named, named.name) if named else capfirst(str(model._meta.verbose_name))


def _in_words(name):
    return capfirst(name.replace("_", " "))


def _evening():
    return timezone.localtime().replace(hour=18, minute=0, second=0, microsecond=0)
