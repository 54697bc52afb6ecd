"""Names and snippets for a rule's condition, its texts and its audience, in words to click on."""

from django.contrib.auth import get_user_model
from django.utils.text import capfirst
from django.utils.translation import gettext as _, gettext_lazy

from ...channels import registry
from ...rules import roots, signals
from ...templating import readable
from ...templating.fields import accessor_of

# Of the person who receives. There is more; these are what a message says.
PERSON = {
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "username": gettext_lazy("User name"),
}
# What Django's signals carry for programs.
INNER_NAMES = {"instance", "update_fields", "using"}
# Of a relation to many, each change is told before and after.
ACTIONS = {
    "post_add": gettext_lazy("Something was added"),
    "post_remove": gettext_lazy("Something was taken away"),
    "post_clear": gettext_lazy("Everything was taken away"),
}
OPERATORS = {
    "==": gettext_lazy("is"),
    "!=": gettext_lazy("is not"),
    ">": gettext_lazy("is over"),
    "<": gettext_lazy("is under"),
    "and": gettext_lazy("and"),
    "or": gettext_lazy("or"),
}


def for_texts(trigger):
    """``[(words, what is inserted)]``: of the person, of the object, and what else the signal brings."""
    person = get_user_model()
    found = [
        (str(words), f"user.{name}") for name, words in PERSON.items() if readable.is_readable(person, name)
    ]
    for words, path, field in _fields(trigger):
        found.append((words, f"instance.get_{field.name}_display" if field.choices else path))
    if (model := _object(trigger)) and hasattr(model, "get_absolute_url"):
        found.append((_("Its address on the web"), "instance.get_absolute_url"))
    found += _of_arguments(trigger)
    found += [
        (_("Link to unsubscribe"), "unsubscribe_url"),
        (_("Link to what they choose"), "preferences_url"),
    ]
    return [(words, f"{{{{ {path} }}}}") for words, path in found]


def for_conditions(trigger):
    """The object's fields, the words between them, and for a change what it was before."""
    fields = list(_fields(trigger)) or [
        each for name, model in _objects(trigger).items() for each in _columns(model, name)
    ]
    actions = [(str(words), f'action == "{name}"') for name, words in ACTIONS.items()]
    actions = actions if trigger.verb == "m2m_changed" else []
    if not fields:
        return actions
    changes = []
    if trigger.verb in ("post_save", "pre_save") and trigger.on != "created":
        changes = [
            (_("%s has changed") % words, f"previous.{field.name} != instance.{field.name}")
            for words, _path, field in fields
            if not field.primary_key
        ]
    return (
        [(words, path) for words, path, _field in fields]
        + [(str(words), sign) for sign, words in OPERATORS.items()]
        + changes
        + actions
    )


def for_audiences(trigger):
    """The people and addresses that the object names, at most one relation away."""
    model, root = _object(trigger), "instance"
    if model is None and trigger.model:
        # A signal of the project's own often calls its argument by the model's name.
        model = readable.find_model(trigger.model)
        root = (
            model._meta.model_name
            if model and model._meta.model_name in _arguments(trigger)
            else "action_object"
        )
    found = list(_people(model, root, near=True)) if model else []
    for name, kind in _objects(trigger).items():
        if name == root:
            continue
        if issubclass(kind, get_user_model()):
            found.append((_words(name), name))
        found += _people(kind, name, near=True)
    if trigger.verb.startswith("user_logged"):
        found.append((_("Who it was"), "actor_object"))
    return found


def _people(model, root, *, near):
    for field in model._meta.get_fields():
        name = accessor_of(field)
        if not name or not readable.is_readable(model, name):
            continue
        path, words = f"{root}.{name}", capfirst(str(getattr(field, "verbose_name", name)))
        if field.is_relation and field.related_model and issubclass(get_user_model(), field.related_model):
            yield words, path
        elif near and (field.many_to_one or field.one_to_one) and field.related_model:
            yield from (
                (f"{words} → {more}", way) for more, way in _people(field.related_model, path, near=False)
            )
        elif channel := _channel_of(field):
            yield words, f"{channel}: {path}"


def _channel_of(field):
    """The channel whose addresses ``field`` seems to hold, by its kind or its name; blank for none."""
    names, kinds = registry.channel_names(), {kind.__name__ for kind in type(field).__mro__}
    by_kind = [name for name in names if registry.address_field(name) in kinds]
    by_name = [name for name in names if name in field.name]
    return (*by_kind, *by_name, "")[0]


def _fields(trigger):
    """(words, path, field) of each field that can be read."""
    if model := _object(trigger):
        yield from _columns(model, "instance")


def _columns(model, root):
    for field in model._meta.concrete_fields:
        if readable.is_readable(model, field.name) and not field.primary_key:
            yield capfirst(str(field.verbose_name)), f"{root}.{field.name}", field


def _objects(trigger):
    """Name → model of the signal's own arguments that are known to be an object."""
    known = roots.models_of(trigger)
    return {name: known[name] for name in _arguments(trigger) if name in known}


def _of_arguments(trigger):
    """What the signal's own arguments say, and of objects their fields; what nobody checks says so."""
    known, found = _objects(trigger), []
    for name in _arguments(trigger):
        unsure = name in roots.unchecked(trigger)
        found.append((_("%s (not checked)") % _words(name) if unsure else _words(name), name))
        found += (
            [(f"{_words(name)} → {words}", path) for words, path, _field in _columns(known[name], name)]
            if name in known
            else []
        )
    return found


def _words(name):
    return capfirst(name.replace("_", " "))


def _object(trigger):
    """The model whose ``instance`` the signal brings, or None."""
    registered = signals.get(trigger.verb)
    return (
        readable.find_model(trigger.model)
        if registered and "instance" in registered.args and trigger.model
        else None
    )


def _arguments(trigger):
    registered = signals.get(trigger.verb)
    return [name for name in registered.args if name not in INNER_NAMES | {"created"}] if registered else []
