"""The admin's pages: rules, templates, people, and what came of it."""

from . import consent, deliveries, events, overview, pausing, people, rules, templates  # noqa: F401 - importing them registers them
