"""Names that the events of a trigger offer to templates, conditions and audiences, and what is wrong with a
path.

Calls ``templating.readable``.
"""

import datetime as dt
import uuid
from decimal import Decimal
from itertools import chain

from django.utils.module_loading import import_string

from .. import conf
from ..exceptions import UnreadablePath
from ..templating import digest_data, permitted, readable
from ..templating.compiler import path_names
from ..templating.data import LINKS, PERSONAL, SITE
from ..templating.fields import fields_by_name
from ..templating.parts import DATE, DATETIME, FILE, NUMBER, OF_LIST, TEXT, TIME, TRUTH, UUID, Kind
from . import providers, roots, signals
from .arguments import PREFIX, STANDARD_NAMES
from .value_paths import check_lists, check_people, check_steps, check_value, kind_at

TEXTS = {"verb", SITE, *LINKS}
# Of an argument that is no object.
KINDS = {
    bool: TRUTH, int: NUMBER, float: NUMBER, Decimal: NUMBER, str: TEXT, dt.datetime: DATETIME, dt.date: DATE,
    dt.time: TIME, dt.timedelta: Kind("a duration"), uuid.UUID: UUID,
}  # fmt: skip


def check_paths(tree, trigger, chosen=(), *, provided=True):
    """Raise UnreadablePath when ``tree`` names what the events of ``trigger`` cannot give, with what they
    can.

    ``chosen`` are the template's context providers; ``provided``: what signal middleware adds counts, which a
    condition comes before.
    """
    registered = signals.get(trigger.verb)
    if registered is None:
        return
    check_providers(chosen, trigger)
    if provided:
        _check_events(tree, chosen)
        tree = digest_data.folded(tree)
    added = chain.from_iterable(providers.provided_by(chosen).values())
    model = roots.object_of(trigger)
    offered = {*STANDARD_NAMES, *registered.args, *PERSONAL, *added}
    offered |= {SITE, *provided_names()} if provided else set()
    if signals.is_about_save(registered):
        offered.add("previous")
    elif "previous" in tree and "previous" not in offered:
        raise UnreadablePath(
            f"“{path_names({'previous': tree['previous']})[0]}”: only a save has what was before it, "
            f"and the signal {trigger.verb} is about none. With pre_save and post_save there is “previous”."
        )
    for name, branch in tree.items():
        if name not in offered:
            own = f"{PREFIX}{name}"
            renamed = f" Its argument {name} is read as {own}." if own in offered else ""
            raise UnreadablePath(
                f"“{path_names({name: branch})[0]}”: the signal {trigger.verb} has no “{name}”.{renamed} "
                f"It has: {', '.join(sorted(offered))}."
            )
    _check_roots(tree, trigger, registered)
    if model and signals.is_about_save(registered):
        _check_previous(model, tree.get("previous", {}))


def _check_roots(tree, trigger, registered):
    permitted.check_person(tree.get("user", {}))
    check_lists(tree)
    for name in TEXTS.difference(registered.args) & tree.keys():
        check_value(TEXT, tree[name], name)
    for root, declared in roots.types_of(trigger).items():
        if root in tree:
            _check_declared(declared, tree[root], root)


def check_audience_path(path, trigger):
    """Raise UnreadablePath when ``path`` of an audience names what the events of ``trigger`` cannot give, or
    what is nobody.
    """
    root, *names = path.split(".")
    tree = {}
    for name in reversed(names):
        tree = {name: tree}
    check_paths({root: tree}, trigger)
    if names and (model := roots.models_of(trigger).get(root)):
        check_people(model, names, root)


def _check_events(tree, chosen):
    """Check that what is read of several events is read of each."""
    if wrong := digest_data.unknown_names(tree):
        raise UnreadablePath(
            f"“events.{wrong[0]}”: events is a list. Write {{% for event in events %}}{{{{ "
            f"event.{wrong[0]} }}}}{{% endfor %}}."
        )
    of_person = {"user", *providers.personal_names(chosen)}
    if wrong := sorted(of_person.intersection(tree.get(digest_data.EVENTS, {}).get("*", {}))):
        raise UnreadablePath(
            f"“event.{wrong[0]}”: the person who receives is the same for all events. Write {wrong[0]}, "
            "without the event."
        )


def _check_previous(model, tree):
    """Of a row before its save there are its columns: an object that it led to may have changed itself."""
    names = readable.previous_names(model)
    for name, branch in tree.items():
        if name in names or name in ("", "pk", "model"):
            _check_previous_value(model, name, branch)
            continue
        key = f" Write previous.{name}_id." if f"{name}_id" in names else ""
        raise UnreadablePath(
            f"“{path_names({'previous': {name: branch}})[0]}”: of what was before a save, "
            f"there are the columns alone.{key} "
            f"There is: {', '.join(names)}."
        )


def _check_previous_value(model, name, branch):
    if (kind := kind_at(model, name)) is None:
        return
    if kind.parts == FILE:
        # Of a file there was its name alone.
        kind = kind._replace(parts=())
    check_value(kind, branch, f"previous.{name}")


def check_providers(chosen, trigger):
    """Raise UnreadablePath when a context provider would hide an argument of the trigger's signal."""
    registered = signals.get(trigger.verb)
    for name, provides in providers.provided_by(chosen).items():
        if clash := sorted(set(provides).intersection(registered.args if registered else ())):
            raise UnreadablePath(
                f"The context provider “{name}” gives {', '.join(clash)}, and so does the "
                f"signal {trigger.verb}. "
                "Take the provider off the template, or give it other names."
            )


def _check_declared(declared, tree, path):
    """Check what is read of an argument of which the type is known."""
    if declared.model:
        if why := permitted.refusal(declared.model):
            raise UnreadablePath(f"“{path}” cannot be used. {why}")
        _check_model(declared.model, tree, path)
    elif declared.is_list:
        _check_list(declared, tree, path)
    elif declared.plain in KINDS:
        check_value(KINDS[declared.plain], tree, path)


def _check_list(declared, tree, path):
    known = {"", "*", *OF_LIST, *(("all",) if declared.is_queryset else ())}
    if steps := [step for step in tree if step not in known]:
        raise UnreadablePath(
            f"“{path}.{steps[0]}”: {path} is a list. Write {{% for each in {path} %}}, and each.… inside it."
        )
    for branch in (tree, tree.get("all", {})):
        for step in ("*", "first", "last"):
            if declared.items and step in branch:
                _check_declared(declared.items, branch[step], f"{path}.{step}")


def _check_model(model, tree, path):
    for name, branch in tree.items():
        if not name:
            continue
        here = f"{path}.{name}"
        if not readable.is_readable(model, name):
            raise UnreadablePath(
                f"“{here}”: {model._meta.verbose_name} has nothing called “{name}” that can be stored. "
                f"There is: {', '.join(readable.readable_names(model))}."
            )
        _check_related(model, name, branch, here)


def _check_related(model, name, branch, here):
    if (kind := kind_at(model, name)) is not None:
        check_value(kind, branch, here)
    field = fields_by_name(model).get(name)
    if field is None or not field.is_relation or not field.related_model:
        return
    if not (field.many_to_many or field.one_to_many):
        _check_model(field.related_model, branch, here)
    else:
        for items in check_steps(branch, here):
            _check_model(field.related_model, items, f"{here}.all")


def provided_names():
    """The names that the middleware adds for templates, sorted."""
    return sorted({name for path in conf.get("MIDDLEWARE") for name in _provided_by(path)})


def _provided_by(path):
    try:
        provides = getattr(import_string(path), "provides", ())
    except Exception:
        # `manage.py check` says what is wrong with it.
        return ()
    return () if isinstance(provides, str) else provides
