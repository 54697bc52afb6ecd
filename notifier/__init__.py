"""Notifier: Django signals become notifications, by rules that people keep in the admin."""

__all__ = ["emit", "emit_bulk"]


def __getattr__(name):
    # An app's models may import these before any model is ready.
    if name in __all__:
        from . import emitting

        return getattr(emitting, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
