"""The kinds of resources, each after those that it needs."""

from .alarms import Alarms
from .bucket import Bucket
from .logs import LogGroups
from .mail import ConfigurationSets, EventDestinations, Identities
from .mappings import Mappings
from .on_duty import OnDuty
from .public import PublicAccess
from .queues import Queues
from .roles import Roles
from .schedule import AsyncCalls, Permissions, Schedules
from .sms import SmsConfigurationSets, SmsEventDestinations
from .subscriptions import Subscriptions
from .topics import Topics

KINDS = (
    Topics,
    OnDuty,
    Queues,
    Subscriptions,
    Identities,
    ConfigurationSets,
    EventDestinations,
    SmsConfigurationSets,
    SmsEventDestinations,
    LogGroups,
    Roles,
    Bucket,
    Alarms,
    Schedules,
    Permissions,
    AsyncCalls,
    PublicAccess,
    Mappings,
)

__all__ = ["KINDS", "Bucket", "Queues", "Roles"]
