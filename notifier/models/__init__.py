"""The words of the system as rows: when, what, whom, and what came of it."""

from .outbox import OF_NO_RULE, Attempt, Canary, Delivery, Event, HourlyCount
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
    "HourlyCount",
    "Pause",
    "RulesVersion",
    "Subscription",
    "Template",
    "TemplateContent",
    "Trigger",
]
