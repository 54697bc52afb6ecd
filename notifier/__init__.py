"""Notifier: Django signals become notifications, by rules that people keep in the admin.

All that a project calls is here, in whatever module it lives. Nothing is imported before it is asked for, and
models are imported when a function that needs them is called, so an app's own models may import any of it.
"""

from importlib import import_module

_HOMES = {
    "notify_on": "rules.declarations",
    "register_signal": "rules.signals",
    "register_audience": "rules.audiences",
    "register_provider": "rules.providers",
    "register_channel": "channels.registry",
    "Limit": "channels.limits",
}
__all__ = ["emit", "emit_bulk", "register_device", *_HOMES]


def emit(verb, **details):
    """Record that ``verb``, a registered signal's name, happened; see ``notifier.events.emit.emit``, which
    takes ``details``.
    """
    from .events.emit import emit  # its models may not be ready before this is called

    return emit(verb, **details)


def emit_bulk(objects, **details):
    """Record that something happened to each of ``objects``; see ``notifier.events.emit.emit_bulk``, which
    takes ``details``.
    """
    from .events.emit import emit_bulk  # its models may not be ready before this is called

    return emit_bulk(objects, **details)


def register_device(user, *, platform, token):
    """The Device of that token, from now on this user's; see ``notifier.people.devices.register_device``."""
    from .people.devices import register_device  # its models may not be ready before this is called

    return register_device(user, platform=platform, token=token)


def __getattr__(name):
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
