"""The words of the system as rows: rules, people and their choices, events and deliveries. Calls
``rules``.
"""

from .consent import Category, OptOut, Preferences, Suppression
from .counts import Canary, Gauge, HourlyCount, LaneCount, OnDuty, Overview, RuleCount, StaleHour
from .devices import Device, DevicePush
from .flow import Allowance
from .history import Attempt, Feedback
from .inbox import Inbox, InboxItem
from .lanes import Lane
from .limits import Budget, Rate, Spending
from .outbox import OF_NO_RULE, Delivery, Event
from .people import Audience, ContactPoint
from .rules import Pause, Subscription, Trigger
from .rules_version import RulesVersion
from .templates import Template, TemplateContent
from .versions import ContentVersion

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
    "Lane",
    "LaneCount",
    "OnDuty",
    "OptOut",
    "Overview",
    "Pause",
    "Preferences",
    "Rate",
    "RuleCount",
    "RulesVersion",
    "Spending",
    "StaleHour",
    "Subscription",
    "Suppression",
    "Template",
    "TemplateContent",
    "Trigger",
]
