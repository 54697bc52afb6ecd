"""The admin's pages: rules, templates, people, and what came of it."""

from . import budgets, deliveries, events, overview, pausing, people, rules, suppressing, templates  # noqa: F401 - importing them registers them
