"""The signals that can trigger something, by name: Django's, and those that an app has registered."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.apps import apps
from django.contrib.auth import signals as auth
from django.core import signals as core
from django.db.backends import signals as backends
from django.db.models import Field, Model, signals as db
from django.dispatch import Signal

from .. import hooks
from ..channels.storable import is_storable
from ..exceptions import SignalRegistrationError
from ..templating.data import PERSONAL

# What every event offers to templates under these names, so a signal's own argument cannot have them.
RESERVED_NAMES = frozenset(
    {*PERSONAL, "verb", "action_object", "actor_object", "target", "forloop", "events"}
)


@dataclass(frozen=True, kw_only=True)
class RegisteredSignal:
    """``about_model``: the signal's sender is a model (for ``m2m_changed``, a relation of it), so a trigger
    must name one.
    """

    name: str
    signal: Signal
    args: tuple[str, ...] = ()
    about_model: bool = False

    def senders(self, model: type[Model]) -> list[type[Model] | None]:
        """The senders to listen to for ``model``: it and its subclasses, or its relations, or None for
        any.
        """
        if not self.about_model:
            return [None]
        if self.signal is db.m2m_changed:
            relations = [field for field in model._meta.get_fields() if field.many_to_many]
            return [_through(field) for field in relations if _through(field)]
        # Django names the class that is saved or deleted, never its parents.
        return [each for each in apps.get_models(include_auto_created=True) if issubclass(each, model)]


def _through(field: Field) -> type[Model] | None:
    return getattr(field if field.auto_created else field.remote_field, "through", None)


# The column's.
MAX_NAME_CHARACTERS = 100
_registry: dict[str, RegisteredSignal] = {}
_listeners: list[Callable[[], None]] = []

# What `notifier.events.firings` must know besides for a pre_save or m2m_changed trigger. No trigger can name
# it.
SAVED = RegisteredSignal(name="", signal=db.post_save, about_model=True)


def register_signal(name: str, signal: Signal, args: Iterable[str] = ()) -> None:
    """Make ``signal`` known to triggers as the verb ``name``; ``args`` are the arguments that templates may
    read.

    Call it from any app's ``ready()``, in any order. Registering the same again changes nothing; another
    signal under a taken name, or an argument that templates use for themselves, raises
    SignalRegistrationError.
    """
    if isinstance(args, str):
        raise SignalRegistrationError(
            f"The args of “{name}” are one text. Write a list of names: args=[{args!r}]."
        )
    _register(RegisteredSignal(name=name, signal=signal, args=tuple(args)))


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
    if clash := sorted(RESERVED_NAMES.intersection(registered.args)):
        raise SignalRegistrationError(
            f"“{name}” has the argument {', '.join(clash)}, which templates use for something "
            "else. Rename it in the signal."
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
        "pre_init": (db.pre_init, ("args", "kwargs")),
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
        # Who signed in or out is the actor; the argument `user` would hide the recipient.
        "user_logged_in": (auth.user_logged_in, ()),
        "user_logged_out": (auth.user_logged_out, ()),
        "user_login_failed": (auth.user_login_failed, ()),
    }
    for name, (signal, args) in about_models.items():
        _register(RegisteredSignal(name=name, signal=signal, args=args, about_model=True))
    for name, (signal, args) in others.items():
        _register(RegisteredSignal(name=name, signal=signal, args=args))
