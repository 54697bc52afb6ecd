"""What a path may name within a value that is no object: of a file its address, of a date nothing. Called by
``offers``.
"""

from typing import Any

from django.contrib.auth import get_user_model

from ..exceptions import UnreadablePath
from ..templating import readable
from ..templating.fields import fields_by_name
from ..templating.parts import OF_LIST, TEXT, Kind, kind_of
from ..templating.paths import PathTree

# Lists in one another that a path may name. The third would be read once for each object of the second.
MAX_LISTS = 2
# What people write who know it from Python or from Django → what gives it here; `{0}` is the value.
ADVICE = {
    "upper": "{0}|upper", "lower": "{0}|lower", "title": "{0}|title", "capitalize": "{0}|capfirst",
    "length": "{0}|length", "count": "{0}|length", "split": "{0}|cut:…", "replace": "{0}|cut:…",
    "weekday": '{0}|date:"l"', "isoweekday": '{0}|date:"N"', "week": '{0}|date:"W"',
    "year": '{0}|date:"Y"', "month": '{0}|date:"n"', "day": '{0}|date:"j"', "second": '{0}|date:"s"',
    "month_name": '{0}|date:"F"', "date": '{0}|date:"Y-m-d"', "time": '{0}|time:"H:i"',
    "isoformat": '{0}|date:"c"', "strftime": '{0}|date:"Y-m-d"', "timestamp": '{0}|date:"U"',
    "microsecond": '{0}|date:"u"', "tzinfo": '{0}|date:"e"', "hour": '{0}|date:"H"', "minute": '{0}|date:"i"',
    "quarter": "", "path": "{0}.url", "size": "",
}  # fmt: skip


def kind_at(model: Any, name: str) -> Kind | None:
    """The Kind of what ``name`` of a model stands for; None where that is an object, many, or unknown."""
    if name in readable.METHODS or name == "model":
        return TEXT
    field = model._meta.pk if name == "pk" else _field_at(model, name)
    if field is None:
        return TEXT if _is_label(model, name) else None
    return kind_of(field)


def check_value(kind: Kind, tree: PathTree, here: str) -> None:
    """Raise UnreadablePath where ``tree`` names what a value of this kind does not have."""
    if kind.is_free:
        return
    for name, branch in tree.items():
        if name == "*":
            if not kind.has_items:
                raise UnreadablePath(f"“{here}” is {kind.words}: there is no first or next one in it.")
            check_value(_of_items(kind), branch, f"{here}.0")
        elif name in kind.parts:
            if name in ("first", "last", *(() if kind.items is None else ("lower", "upper"))):
                check_value(_of_items(kind), branch, f"{here}.{name}")
            elif inner := [each for each in branch if each]:
                raise UnreadablePath(_say(Kind("a value"), f"{here}.{name}", inner[0]))
        elif name:
            raise UnreadablePath(_say(kind, here, name))


def _of_items(kind: Kind) -> Kind:
    return kind_of(kind.items) if kind.items is not None else TEXT


def _say(kind: Kind, here: str, name: str) -> str:
    shown = name if name != "*" else "0"
    said = f"“{here}.{shown}”: {here} is {kind.words}, which has no “{shown}”."
    if advice := ADVICE.get(name, ""):
        said += f" Write {advice.format(here)}."
    if kind.parts:
        return f"{said} It has: {', '.join(kind.parts)}."
    return said if advice else f"{said} Write {here} alone, or with a filter."


def check_people(model: Any, names: list[str], here: str) -> None:
    """Raise UnreadablePath where the path ``names`` of a model leads to nobody: to no person and no text."""
    for number, name in enumerate(names):
        place = ".".join((here, *names[: number + 1]))
        if (kind := kind_at(model, name)) is not None:
            if not (kind.is_free or kind == TEXT):
                raise UnreadablePath(f"“{place}” is {kind.words}: it names no person, and is no address.")
            return
        field = fields_by_name(model).get(name)
        if field is None or not field.is_relation or not field.related_model:
            return
        model = field.related_model
        if field.many_to_many or field.one_to_many:
            if rest := names[number + 1 :]:
                raise UnreadablePath(f"“{place}.{rest[0]}”: write {place} alone, which names all of them.")
            break
    if not issubclass(model, get_user_model()):
        raise UnreadablePath(f"“{place}” leads to {model._meta.verbose_name}, which is no person.")


def _field_at(model: Any, name: str) -> Any:
    """The column ``name`` of a model, also the key of a relation; None where there is none."""
    return next((each for each in model._meta.concrete_fields if _is_column(each, name)), None)


def _is_column(field: Any, name: str) -> bool:
    return name == field.attname if field.is_relation else name in (field.name, field.attname)


def _is_label(model: Any, name: str) -> bool:
    return any(name == f"get_{each.name}_display" for each in model._meta.concrete_fields if each.choices)


def check_lists(tree: PathTree, here: tuple[str, ...] = (), lists: int = 0) -> None:
    """Raise UnreadablePath where ``tree`` reads lists within lists within lists: of each object in one there
    is another, and what is read grows by all their lengths.
    """
    for name, branch in tree.items():
        # Of an argument that is a list itself there is no relation.
        found = lists + (name == "all" or name == "*" and len(here) == 1)
        if found > MAX_LISTS:
            place = ".".join((*(each for each in here if each != "*"), name))
            raise UnreadablePath(
                f"“{place}” is a list in a list in a list; an event holds {MAX_LISTS} in one another. Let "
                "the model count or choose, in a property that its notifier_fields names."
            )
        check_lists(branch, (*here, name), found)


def check_steps(tree: PathTree, here: str) -> tuple[PathTree, ...]:
    """The trees of what is read of the objects in a list. UnreadablePath for steps that it does not have."""
    if steps := [step for step in tree if step not in ("all", "count", "exists")]:
        after = f".{steps[0]}" if steps[0] in OF_LIST else ""
        raise UnreadablePath(
            f"“{here}” is a list: write {here}.all{after}, not {here}{'.' + steps[0] if steps[0] else ''}."
        )
    whole = tree.get("all", {})
    if steps := [step for step in whole if step not in ("", "*", *OF_LIST)]:
        raise UnreadablePath(
            f"“{here}.all.{steps[0]}”: {here}.all is a list. Write {{% for each in {here}.all %}}, and "
            f"each.{steps[0]} inside it. It has: {', '.join(OF_LIST)}, and places: {here}.all.0."
        )
    for step in ("count", "exists"):
        for place, branch in ((here, tree.get(step)), (f"{here}.all", whole.get(step))):
            if inner := [each for each in branch or () if each]:
                raise UnreadablePath(_say(Kind("a value"), f"{place}.{step}", inner[0]))
    return tuple(whole[step] for step in ("*", "first", "last") if step in whole)
