"""The words of the system as rows: rules, people and their choices, events and deliveries. Calls
``rules``.
"""

from .consent import Category, OptOut, Preferences, Suppression
from .counts import Canary, Gauge, HourlyCount, Overview, StaleHour
from .devices import Device, DevicePush
from .flow import Allowance
from .inbox import Inbox, InboxItem
from .limits import Budget, Rate, Spending
from .outbox import OF_NO_RULE, Attempt, Delivery, Event, Feedback
from .people import Audience, ContactPoint
from .rules import Pause, RulesVersion, Subscription, Trigger
from .templates import ContentVersion, Template, TemplateContent

__all__ = [
    "OF_NO_RULE",
    "Allowance",
    "Attempt",
    "Audience",
    "Budget",
    "Canary",
    "Category",
    "ContactPoint",
    "ContentVersion",
    "Delivery",
    "Device",
    "DevicePush",
    "Event",
    "Feedback",
    "Gauge",
    "HourlyCount",
    "Inbox",
    "InboxItem",
    "OptOut",
    "Overview",
    "Pause",
    "Preferences",
    "Rate",
    "RulesVersion",
    "Spending",
    "StaleHour",
    "Subscription",
    "Suppression",
    "Template",
    "TemplateContent",
    "Trigger",
]
