"""The words of the system as rows: when, what, whom, and what came of it."""

from .outbox import Attempt, Canary, Delivery, Event, Gauge, HourlyCount, Overview, StaleHour
from .people import Audience, ContactPoint
from .rules import Pause, RulesVersion, Subscription, Trigger
from .templates import ContentVersion, Template, TemplateContent

__all__ = [
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
