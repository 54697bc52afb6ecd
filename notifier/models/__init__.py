"""The words of the system as rows: when, what, whom, and what came of it."""

from .outbox import Canary, Delivery, Event
from .people import Audience, ContactPoint
from .rules import RulesVersion, Subscription, Trigger
from .templates import ContentVersion, Template, TemplateContent

__all__ = [
    "Audience",
    "Canary",
    "ContactPoint",
    "ContentVersion",
    "Delivery",
    "Event",
    "RulesVersion",
    "Subscription",
    "Template",
    "TemplateContent",
    "Trigger",
]
