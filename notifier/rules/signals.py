"""The signals that can trigger something, by name: Django's, and those that an app has registered."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.contrib.auth import signals as auth
from django.core import signals as core
from django.db.backends import signals as backends
from django.db.models import Field, Model, signals as db
from django.dispatch import Signal

try:
    from django.tasks import signals as tasks
except ImportError:  # before Django 6.0
    tasks = None

from .. import hooks
from ..channels.storable import is_storable
from ..exceptions import SignalRegistrationError
from ..templating import permitted
from . import arguments
from .arguments import Declared

# What every event offers to templates under these names: nothing else that is offered can have them.
RESERVED_NAMES = arguments.TAKEN_NAMES.union(arguments.STANDARD_NAMES)


@dataclass(frozen=True, kw_only=True)
class RegisteredSignal:
    """``args``: the names that templates read its arguments by; ``own_names``: what the signal itself calls
    those that have another name. ``types``: by the same names, what is known of them.

    ``object``, ``actor``, ``target``: the arguments that say what and who, where the signal names them so.
    ``about_model``: the signal's sender is a model (for ``m2m_changed``, a relation of it), so a trigger
    must name one.
    """

    name: str
    signal: Signal
    args: tuple[str, ...] = ()
    own_names: dict[str, str] = field(default_factory=dict, hash=False)
    types: dict[str, Declared] = field(default_factory=dict, hash=False)
    object: str = ""
    actor: str = ""
    target: str = ""
    about_model: bool = False

    def own_name(self, name: str) -> str:
        """What the signal itself calls the argument that templates read by ``name``."""
        return self.own_names.get(name, name)

    def read_name(self, own: str) -> str:
        """The name by which templates read what the signal itself calls ``own``."""
        return next((name for name, given in self.own_names.items() if given == own), own)

    def wrong_type(self, name: str, value: Any) -> str:
        """What is wrong with ``value`` as the argument ``name`` of a template; blank where it is right."""
        wanted = self.types.get(name)
        if wanted is None or wanted.accepts(value):
            return ""
        return (
            f"The signal {self.name} brought {value.__class__.__name__} as its argument "
            f"{self.own_name(name)}, and is registered with {wanted}."
        )

    def senders(self, model: type[Model]) -> list[type[Model] | None]:
        """The senders to listen to for ``model``: it and its subclasses, or its relations, or None for
        any.
        """
        if not self.about_model:
            return [None]
        # Django names the class that is saved or deleted, never its parents.
        models = [each for each in _heard_models() if issubclass(each, model)]
        if self.signal is not db.m2m_changed:
            return list(models)
        relations = (field for each in models for field in each._meta.get_fields() if field.many_to_many)
        return list(dict.fromkeys(through for field in relations if (through := _through(field))))

    def all_senders(self) -> list[type[Model] | None]:
        """The senders to listen to for any model at all, while nobody knows which.

        None where Django itself sends it as it starts or checks itself: that must not ask the database.
        """
        if self.signal in (db.pre_init, db.post_init, db.class_prepared):
            return []
        if not self.about_model:
            return [None]
        models = _heard_models()
        if self.signal is db.m2m_changed:
            return list(dict.fromkeys(sender for model in models for sender in self.senders(model)))
        return list(models)


def _heard_models() -> list[type[Model]]:
    """The models that a rule may be about."""
    return [each for each in apps.get_models(include_auto_created=True) if not permitted.is_never(each)]


def _through(field: Field) -> type[Model] | None:
    return getattr(field if field.auto_created else field.remote_field, "through", None)


TASKS = ("task_enqueued", "task_started", "task_finished")
# The column's.
MAX_NAME_CHARACTERS = 100
_registry: dict[str, RegisteredSignal] = {}
_listeners: list[Callable[[], None]] = []

# What `notifier.events.firings` must know besides for a pre_save or m2m_changed trigger. No trigger can name
# it.
SAVED = RegisteredSignal(name="", signal=db.post_save, about_model=True)


def register_signal(
    name: str,
    signal: Signal,
    args: Iterable[str] | Mapping[str, Any] = (),
    *,
    object: str = "",
    actor: str = "",
    target: str = "",
) -> None:
    """Make ``signal`` known to triggers as the verb ``name``; ``args`` are the arguments that templates may
    read.

    ``args`` as a dict says what each is, ``{"order": Order}``: names that lead nowhere are then refused when
    a rule is saved. ``object``, ``actor`` and ``target`` name the arguments that triggers match by. What
    templates use for themselves, as ``user``, is read with ``signal_`` before it.

    Call it from any app's ``ready()``, in any order. Registering the same again changes nothing; another
    signal under a taken name, or a type that is none, raises SignalRegistrationError.
    """
    found = arguments.names_of(name, args)
    own_names = {f"{arguments.PREFIX}{own}": own for own in found if own in arguments.TAKEN_NAMES}
    if clash := sorted(own_names.keys() & found.keys()):
        raise SignalRegistrationError(
            f"“{name}” has the argument {clash[0]}, which is what templates read its argument "
            f"{own_names[clash[0]]} by. Leave one of the two out."
        )
    read_by = {own: given for given, own in own_names.items()}
    types = {read_by.get(own, own): arguments.declared(name, own, given) for own, given in found.items()}
    about, who, what = (_part(name, read_by.get(own, own), types) for own in (object, actor, target))
    if about and (kind := types[about]) and not kind.model:
        raise SignalRegistrationError(
            f"“{name}” is about its argument {object}, which is {kind}. Name one that is of a model."
        )
    _register(
        RegisteredSignal(
            name=name, signal=signal, own_names=own_names, object=about, actor=who, target=what,
            args=tuple(each for each in types if each not in arguments.STANDARD_NAMES),
            types={each: kind for each, kind in types.items() if kind},
        )
    )  # fmt: skip


def _part(name: str, read: str, types: Mapping[str, Declared | None]) -> str:
    """``read``, the name of an argument that says what or who, if there is one."""
    if read and read not in types:
        raise SignalRegistrationError(
            f"“{name}” has no argument {read!r} in its args. It has: {', '.join(types) or 'none'}."
        )
    return read


def _register(registered: RegisteredSignal) -> None:
    name, taken = registered.name, _registry.get(registered.name)
    if not isinstance(name, str) or not is_storable(name) or not 0 < len(name) <= MAX_NAME_CHARACTERS:
        raise SignalRegistrationError(
            f"{name!r} is no name: write 1 to {MAX_NAME_CHARACTERS} characters that a database can hold."
        )
    if not isinstance(registered.signal, Signal):
        raise SignalRegistrationError(
            f"“{name}” is not a django.dispatch.Signal but {type(registered.signal).__name__}."
        )
    if registered.signal in hooks.ALL:
        raise SignalRegistrationError(
            f"“{name}” says what came of a notification: notifying of that would never end. Use a receiver."
        )
    if taken and taken != registered:
        raise SignalRegistrationError(
            f"The name “{name}” is taken by another signal or other arguments. Choose another name."
        )
    _registry[name] = registered
    for listener in _listeners:
        listener()


def on_registration(listener: Callable[[], None]) -> None:
    """Call ``listener()`` after each registration from now on."""
    if listener not in _listeners:
        _listeners.append(listener)


def get(name: str) -> RegisteredSignal | None:
    """The RegisteredSignal of that name, or None."""
    return _registry.get(name)


def names() -> list[str]:
    """All registered names, sorted."""
    return sorted(_registry)


def is_about_save(registered: RegisteredSignal) -> bool:
    """Whether the signal has a row of before: ``previous``."""
    return registered.signal in (db.pre_save, db.post_save)


def register_builtin_signals() -> None:
    """All signals of Django itself, under their own names. No query."""
    about_models = {
        # Its `args` and `kwargs` are a row's columns without their names: a password's hash among them.
        "pre_init": (db.pre_init, ()),
        "post_init": (db.post_init, ("instance",)),
        "pre_save": (db.pre_save, ("instance", "update_fields", "using")),
        "post_save": (db.post_save, ("instance", "created", "update_fields", "using")),
        "pre_delete": (db.pre_delete, ("instance", "using")),
        "post_delete": (db.post_delete, ("instance", "using")),
        "m2m_changed": (db.m2m_changed, ("instance", "action", "reverse", "model", "pk_set", "using")),
        "class_prepared": (db.class_prepared, ()),
    }
    others = {
        "pre_migrate": (db.pre_migrate, ("verbosity", "interactive", "using")),
        "post_migrate": (db.post_migrate, ("verbosity", "interactive", "using")),
        "request_started": (core.request_started, ()),
        "request_finished": (core.request_finished, ()),
        "got_request_exception": (core.got_request_exception, ()),
        "connection_created": (backends.connection_created, ()),
        "setting_changed": (core.setting_changed, ("setting", "enter")),
        # Who signed in or out is the actor.
        "user_logged_in": (auth.user_logged_in, ()),
        "user_logged_out": (auth.user_logged_out, ()),
        "user_login_failed": (auth.user_login_failed, ()),
        # What a task was given may be anything.
        **{name: (getattr(tasks, name), ()) for name in TASKS if tasks},
    }
    for name, (signal, args) in about_models.items():
        _register(_builtin(name, signal, args, about_model=True))
    for name, (signal, args) in others.items():
        _register(_builtin(name, signal, args))


def _builtin(
    name: str, signal: Signal, args: tuple[str, ...], *, about_model: bool = False
) -> RegisteredSignal:
    types = {each: arguments.OF_DJANGO[each] for each in args if each in arguments.OF_DJANGO}
    return RegisteredSignal(name=name, signal=signal, args=args, types=types, about_model=about_model)
