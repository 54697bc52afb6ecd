"""The admin's pages: rules, templates, people, outcomes, overview. Calls ``explaining`` and all below it."""

# Importing them registers them.
from .outcomes import deliveries, events, inboxes  # noqa: F401
from .overview import budgets, on_duty, page, pauses  # noqa: F401
from .people import audiences, consent, devices, suppressions  # noqa: F401
from .rules import triggers  # noqa: F401
from .templates import editor  # noqa: F401
