"""The words of the system as rows: when, what, whom, and what came of it."""

from .counts import Canary, Gauge, HourlyCount, Overview, StaleHour
from .outbox import OF_NO_RULE, Attempt, Delivery, Event
from .people import Audience, ContactPoint
from .rules import Pause, RulesVersion, Subscription, Trigger
from .templates import ContentVersion, Template, TemplateContent

__all__ = [
    "OF_NO_RULE",
    "Attempt",
    "Audience",
    "Canary",
    "ContactPoint",
    "ContentVersion",
    "Delivery",
    "Event",
    "Gauge",
    "HourlyCount",
    "Overview",
    "Pause",
    "RulesVersion",
    "StaleHour",
    "Subscription",
    "Template",
    "TemplateContent",
    "Trigger",
]
