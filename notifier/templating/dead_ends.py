"""The paths that a template reads and that led nowhere in one event's data. Called by ``events.freezing``.

What is None or empty is there. What a document of a model's own (a JSON field) lacks may be left out there.
"""

from collections.abc import Iterator
from typing import Any

from .data import FrozenObject
from .parts import OF_LIST
from .paths import PathTree

# An event's page names so many.
MAX_DEAD_ENDS = 20
# Items of a list are mostly of one kind.
MAX_ITEMS = 20
# Of a single value, no more is read.
WHOLE = frozenset({"", "*"})


def find_dead_ends(
    tree: PathTree, data: dict[str, Any], context: dict[str, Any], absent: frozenset[str]
) -> list[str]:
    """The dotted paths of ``tree`` that ``data``, frozen from ``context``, has nothing for.

    MAX_DEAD_ENDS at most.
    ``absent``: names of ``context`` that the firing itself did not bring.
    """
    found: dict[str, None] = {}
    for name, branch in tree.items():
        if name == "previous" and name not in data:
            # Only a save has it, and not one that `emit` tells of.
            continue
        given = context.get(name)
        if (
            name not in data
            or name in absent
            and given is None
            or branch
            and data[name] is None
            and not _is_none(given)
        ):
            found[name] = None
        else:
            found |= dict.fromkeys(_walk(branch, data[name], given, name))
        if len(found) > MAX_DEAD_ENDS:
            break
    return list(found)[:MAX_DEAD_ENDS]


def _is_none(value):
    # A lazy actor that is nobody passes itself off as None.
    return value is None or value.__class__ is type(None)


def _walk(tree: PathTree, frozen: Any, given: Any, path: str) -> Iterator[str]:
    names = [name for name in tree if name not in ("", "*")]
    if isinstance(frozen, dict):
        yield from _walk_entries(tree, names, frozen, given, path)
    elif isinstance(frozen, list):
        # Of what is not saved yet, a relation is an empty list.
        yield from (f"{path}.{name}" for name in names if frozen and name not in OF_LIST)
        items = given if isinstance(given, (list, tuple)) else [None] * len(frozen)
        for item, each in list(zip(frozen, items, strict=False))[:MAX_ITEMS]:
            yield from _walk(tree.get("*", {}), item, each, f"{path}.*")
    elif frozen is not None:
        yield from (f"{path}.{name}" for name in names)


def _walk_entries(tree: PathTree, names: list[str], frozen: dict, given: Any, path: str) -> Iterator[str]:
    is_object = isinstance(frozen, FrozenObject)
    for name in names:
        here = f"{path}.{name}"
        if name not in frozen or isinstance(given, dict) and name not in given:
            yield here
        elif is_object and type(frozen[name]) is dict:
            # A document of the object's own.
            continue
        elif tree[name].keys() <= WHOLE and not isinstance(frozen[name], dict | list):
            continue
        else:
            yield from _walk(
                tree[name], frozen[name], given.get(name) if isinstance(given, dict) else None, here
            )
