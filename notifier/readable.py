"""What events may store of a model, by name. Next hop: ``notifier.snapshot`` stores it, and nothing else."""

from itertools import chain

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist

from . import event_lists, providers, signals
from .exceptions import UnreadablePath
from .template_data import PERSONAL, SECRET_FRAGMENTS, SECRET_WORDS
from .templating import path_names

# Methods without arguments that read and do not change anything, by Django's own conventions.
METHODS = frozenset({"get_absolute_url", "get_full_name", "get_short_name"})
# What every event offers, besides its signal's own arguments.
STANDARD_NAMES = ("verb", "action_object", "actor_object", "target")


def single_relation(model, name):
    """The foreign key or one-to-one relation ``name`` of ``model``, the reverse of one as well, or None."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    # A generic foreign key has no model.
    return field if (field.many_to_one or field.one_to_one) and field.related_model else None


def may_be_secret(name):
    """Whether ``name`` sounds like something that no event and no message may hold."""
    lower = name.lower()
    return any(fragment in lower for fragment in SECRET_FRAGMENTS) or not SECRET_WORDS.isdisjoint(lower.split("_"))


def is_readable(model, name):
    """Whether events may store ``name`` of ``model``: fields, relations, the allowed methods, and what the model lists."""
    return name in readable_names(model) or name in {"pk", "model"} or (name in METHODS and hasattr(model, name))


def readable_names(model):
    """The names of ``model`` that events may store, sorted. A model adds to them with ``notifier_fields = [...]``."""
    names = set(getattr(model, "notifier_fields", ()))
    for field in model._meta.get_fields():
        if field.auto_created and not field.concrete:
            names.add(field.get_accessor_name())
            continue
        names.update({field.name, getattr(field, "attname", field.name)})
        if getattr(field, "choices", None):
            names.add(f"get_{field.name}_display")
    return sorted(name for name in names if name and not may_be_secret(name))


def previous_names(model):
    """What may be said of ``previous``, sorted: the columns of ``model``, and the labels of choices."""
    columns = {field.attname for field in model._meta.concrete_fields}
    labels = {f"get_{field.name}_display" for field in model._meta.concrete_fields if field.choices}
    return [name for name in readable_names(model) if name in columns | labels]


def find_model(label):
    """The model of ``app_label.model``, or None."""
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def check_paths(tree, trigger, chosen=(), *, provided=True):
    """Raise UnreadablePath when ``tree`` names what the events of ``trigger`` cannot give, with what they can.

    ``chosen`` are the template's context providers; ``provided``: what signal middleware adds counts, which a condition comes before.
    """
    from . import interception  # which freezes, by what is readable

    registered = signals.get(trigger.verb)
    if registered is None:
        return
    check_providers(chosen, trigger)
    if provided:
        _check_events(tree)
        tree = event_lists.folded(tree)
    added = chain.from_iterable(providers.provided_by(chosen).values())
    model = find_model(trigger.model) if trigger.model else None
    offered = {*STANDARD_NAMES, *registered.args, *PERSONAL, *added, *(interception.provided_names() if provided else ())}
    if signals.is_about_save(registered):
        offered.add("previous")
    elif "previous" in tree and "previous" not in offered:
        raise UnreadablePath(
            f"“{path_names({'previous': tree['previous']})[0]}”: only a save has what was before it, "
            f"and the signal {trigger.verb} is about none. With pre_save and post_save there is “previous”."
        )
    for name, branch in tree.items():
        if name not in offered:
            raise UnreadablePath(
                f"“{path_names({name: branch})[0]}”: the signal {trigger.verb} has no “{name}”. "
                f"It has: {', '.join(sorted(offered))}."
            )
    actor = find_model(trigger.actor_model) if trigger.actor_model else None
    for root, found in ("instance", model), ("action_object", model), ("actor_object", actor), ("user", get_user_model()):
        if found and root in tree:
            _check_model(found, tree[root], root)
    if model and signals.is_about_save(registered):
        _check_previous(model, tree.get("previous", {}))


def _check_events(tree):
    """What is read of several events is read of each."""
    if wrong := event_lists.unknown_names(tree):
        raise UnreadablePath(
            f"“events.{wrong[0]}”: events is a list. Write {{% for event in events %}}{{{{ event.{wrong[0]} }}}}{{% endfor %}}."
        )
    if "user" in tree.get(event_lists.EVENTS, {}).get("*", {}):
        raise UnreadablePath("“event.user”: the person who receives is the same for all events. Write user, without the event.")


def _check_previous(model, tree):
    """Of a row before its save there are its columns: an object that it led to may have changed itself."""
    names = previous_names(model)
    for name, branch in tree.items():
        if name in names or name in ("", "pk", "model"):
            continue
        key = f" Write previous.{name}_id." if f"{name}_id" in names else ""
        raise UnreadablePath(
            f"“{path_names({'previous': {name: branch}})[0]}”: of what was before a save, there are the columns alone.{key} "
            f"There is: {', '.join(names)}."
        )


def check_providers(chosen, trigger):
    """Raise UnreadablePath when a context provider would hide an argument of the trigger's signal."""
    registered = signals.get(trigger.verb)
    for name, provides in providers.provided_by(chosen).items():
        if clash := sorted(set(provides).intersection(registered.args if registered else ())):
            raise UnreadablePath(
                f"The context provider “{name}” gives {', '.join(clash)}, and so does the signal {trigger.verb}. "
                "Take the provider off the template, or give it other names."
            )


def _check_model(model, tree, path):
    for name, branch in tree.items():
        if not name:
            continue
        here = f"{path}.{name}"
        if not is_readable(model, name):
            raise UnreadablePath(
                f"“{here}”: {model._meta.verbose_name} has nothing called “{name}” that can be stored. "
                f"There is: {', '.join(readable_names(model))}."
            )
        _check_related(model, name, branch, here)


def _check_related(model, name, branch, here):
    field = next((field for field in model._meta.get_fields() if accessor_of(field) == name), None)
    if field is None or not field.is_relation or not field.related_model:
        return
    if not (field.many_to_many or field.one_to_many):
        _check_model(field.related_model, branch, here)
    elif here.startswith("user.") and issubclass(field.related_model, get_user_model()):
        raise UnreadablePath(f"“{here}” leads from the person who receives the message to other people.")
    elif steps := [step for step in branch if step != "all"]:
        raise UnreadablePath(f"“{here}” is a list: write {here}.all, not {here}{'.' + steps[0] if steps[0] else ''}.")
    else:
        _check_model(field.related_model, branch.get("all", {}).get("*", {}), f"{here}.all")


def accessor_of(field):
    """The name by which an object leads to what ``field`` relates it to."""
    return field.get_accessor_name() if field.auto_created and not field.concrete else field.name
