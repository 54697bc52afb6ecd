"""Notifier: Django signals become notifications, by rules that people keep in the admin.

What a project calls is here, whatever module it lives in; nothing is imported before it is asked for, so an
app's models may import it.
"""

from importlib import import_module

_HOMES = {
    "register_signal": "signals",
    "register_audience": "audiences",
    "register_provider": "providers",
    "register_channel": "channels",
    "register_device": "devices",
}
__all__ = ["emit", "emit_bulk", *_HOMES]


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


def __getattr__(name):
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
