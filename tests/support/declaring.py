"""Rules that a test declares in code, and that are gone after it."""

from contextlib import contextmanager

from notifier.rules import declarations


@contextmanager
def only_declared():
    """Declare inside it, as the code of another release would; what other code declares is not there."""
    before = declarations.all_declared()
    declarations._declared.clear()
    try:
        yield
    finally:
        declarations._declared.clear()
        declarations._declared.update(before)
