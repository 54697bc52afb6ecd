"""The product's short time-outs towards AWS, made long: its stand-in shares a machine with the tests."""

from importlib import import_module

from tests.support.patience import PATIENCE_SECONDS

SHORT = {
    "notifier.queue.publisher": ("CONNECT_TIMEOUT_SECONDS", "READ_TIMEOUT_SECONDS"),
    "lambdas._handler": ("BURY_SECONDS",),
    "lambdas._readings": ("BUDGET_SECONDS", "CONNECT_SECONDS", "READ_SECONDS"),
}


def lengthen(change=setattr):
    """``change(module, name, seconds)`` for each of them."""
    for path, names in SHORT.items():
        for name in names:
            change(import_module(path), name, PATIENCE_SECONDS)
