"""The admin's pages: rules, templates, people, and what came of it."""

from . import (  # noqa: F401 - importing them registers them
    budgets,
    consent,
    deliveries,
    devices,
    events,
    inboxes,
    overview,
    pausing,
    people,
    rules,
    suppressing,
    templates,
)
