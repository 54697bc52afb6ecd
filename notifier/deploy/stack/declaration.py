"""The declaration of a deployment: the name, the routes and the functions that everything else follows
from.
"""

from dataclasses import dataclass, field, replace

from notifier.channels import sender
from notifier.channels.registry import FUNCTIONS, channel_names
from notifier.exceptions import ConfigurationError, SenderRefused
from notifier.queue.ring import FANOUT

from . import alerting
from .constants import declared

# A queue's visibility timeout should be six times its function's timeout, and a message should get five tries
# before it goes aside: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
TIMEOUTS_TO_WAIT = 6
VISIBILITY_TIMEOUT_SECONDS = TIMEOUTS_TO_WAIT * 60
MAX_RECEIVE_COUNT = 5
# Five messages are 250 deliveries: 20 s of mails at 80 ms each, so a function ends well before its minute
# does.
BATCH_SIZE = 5
# Each invocation holds a database connection. AWS allows 2 to 1,000:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html#events-sqs-max-concurrency
MAXIMUM_CONCURRENCY = 10
# Its queue is fed by the topic on which SES tells what became of each mail, not by that of our own messages.
FEEDBACK = "feedback"


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteSettings:
    """The treatment of one route's messages by its queue; ``batch_size`` is what its function gets at once,
    in ``maximum_concurrency`` copies.
    """

    visibility_timeout_seconds: int = VISIBILITY_TIMEOUT_SECONDS
    batch_size: int = BATCH_SIZE
    max_receive_count: int = MAX_RECEIVE_COUNT
    maximum_concurrency: int = MAXIMUM_CONCURRENCY


def default_routes(**settings):
    """Settings per route: the fan-out, every channel that exists and the feedback, each with ``settings``
    over the defaults.
    """
    return {route: RouteSettings(**settings) for route in [FANOUT, *channel_names(), FEEDBACK]}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """A deployment as it should be. ``sender`` is an address or domain to make known to SES, or empty;
    ``alert`` the address or the topic that alarms tell besides those whom the admin names, or empty.
    ``texts`` says whether AWS End User Messaging sends the SMS.

    ``region`` None means the one of the environment. Without ``functions`` there is only what messages pass
    through: topic, queues and mail.
    """

    name: str = "notifier"
    region: str | None = None
    routes: dict[str, RouteSettings] = field(default_factory=default_routes)
    sender: str = ""
    alert: str = ""
    texts: bool = False
    functions: tuple = ()

    @property
    def alert_address(self):
        return self.alert if "@" in self.alert else ""

    @property
    def alert_topics(self):
        """The ARN, if ``alert`` is one, as a list."""
        return [self.alert] if self.alert and not self.alert_address else []

    @property
    def feedback_topic(self):
        """The name of the topic on which AWS tells what became of a mail or an SMS; empty where nobody sends
        or listens.
        """
        return f"{self.name}-{FEEDBACK}" if self.sender or self.texts or FEEDBACK in self.routes else ""

    def topic_of(self, route):
        """The name of the topic that feeds the queue of ``route``."""
        return self.feedback_topic if route == FEEDBACK else self.name

    @classmethod
    def of(cls, deployment, region=None):
        """The stack of a :class:`~notifier.deploy.stack.stages.Deployment`: a route for every stage that a
        queue feeds.
        """
        web = deployment.web
        return cls(
            name=deployment.stack_name,
            region=region or web.config.get("aws_region"),
            routes={
                each.module: _route_of(each)
                for each in deployment.functions
                if each != web and _is_fed(each.module)
            },
            sender=_sender_of(web.environment.get("DEFAULT_FROM_EMAIL", "")),
            alert=alerting.parse(web.environment.get(alerting.VARIABLE, "")),
            texts=any(each.environment.get("SMS_DRIVER") == "aws" for each in deployment.functions),
            functions=deployment.functions,
        )


def _sender_of(text):
    """The address that mails come from. Refused here, nothing is made for a name that SES would not know."""
    try:
        return sender.address_of(text) if text.strip() else ""
    except SenderRefused as refused:
        raise ConfigurationError(f"DEFAULT_FROM_EMAIL cannot be used: {refused}.") from None


def _is_fed(module):
    return module in (FANOUT, FEEDBACK) or module not in FUNCTIONS


def _route_of(function):
    settings = RouteSettings(
        maximum_concurrency=declared(function.handler, "MAXIMUM_CONCURRENCY", MAXIMUM_CONCURRENCY)
    )
    longest = TIMEOUTS_TO_WAIT * function.config.get("timeout_seconds", 0)
    return replace(settings, visibility_timeout_seconds=max(longest, settings.visibility_timeout_seconds))
