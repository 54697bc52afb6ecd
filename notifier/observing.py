"""The ids on an invocation's log lines, and its numbers, for CloudWatch, which reads standard output.

Off Lambda nothing here does anything.
"""

import logging
import os
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

logger = logging.getLogger(__name__)

NAMESPACE = "Notifier"
# From when something was to go until its provider had it; by lane, and an alarm is about it.
TIME_TO_SENT = "TimeToSent"
# The share of a channel's monthly budget that is spent, in percent; 100 where the next message does not fit.
BUDGET_USED = "BudgetUsed"

# Errors (any of their classes) whose words are about machines and code. Others' may be a name, an address, a
# message, or a whole row.
SPOKEN = frozenset(
    {
        *("OperationalError", "ProgrammingError", "IntegrityError", "InterfaceError"),
        *("BotoCoreError", "ClientError", "OSError", "ImportError", "NameError"),
        *("AttributeError", "TypeError", "ImproperlyConfigured", "NotifierError", "WithoutData"),
    }
)
MAX_CHAIN = 5

_keys = ContextVar("notifier_log_keys", default=MappingProxyType({}))
_numbers = ContextVar("notifier_numbers", default=None)
_started = False


def is_on():
    """Whether somebody reads it: on Lambda."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def log_keys():
    """The keys that every log line carries now: name → value."""
    return _keys.get()


class WithoutData(Exception):
    """Stands in a log line for an error: its name and traceback, and of its words what may be said."""


def words_of(error):
    """What an error says, if that is about machines or code; else its words are blank."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    # PostgreSQL's second line quotes the row.
    return str(error).partition("\n")[0] if kinds & SPOKEN else ""


def causes_of(error):
    """The error and what came before it, the latest first, MAX_CHAIN at most."""
    found = []
    while error is not None and len(found) < MAX_CHAIN:
        found.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found


def log_failure(logger, message, *args, level=logging.ERROR):
    """Log the error that is being handled, with its trace and nothing of what it was given."""
    told = None
    for error in reversed(causes_of(sys.exc_info()[1])):
        kind = type(type(error).__name__, (WithoutData,), {"__module__": type(error).__module__})
        earlier, told = told, kind(*filter(None, [words_of(error)]))
        told.__cause__, told.__traceback__ = earlier, error.__traceback__
    logger.log(level, message, *args, exc_info=told, stacklevel=2)


class keys:
    """``with keys(…)``: put these values on every log line that is written inside it.

    No generator's, as it is entered for each message.
    """

    def __init__(self, **values):
        self._values = values

    def __enter__(self):
        self._token = _keys.set({**_keys.get(), **self._values})

    def __exit__(self, *_error):
        _keys.reset(self._token)


@contextmanager
def observed(route, context):
    """One invocation: its log lines name it, and its numbers are written once at its end, also when it
    raises.
    """
    global _started
    if not is_on():
        yield
        return
    cold, _started = not _started, True
    request = getattr(context, "aws_request_id", None)
    function = getattr(context, "function_name", None)
    numbers, token = {}, None
    try:
        with keys(route=route, function_name=function, function_request_id=request, cold_start=cold):
            token = _numbers.set(numbers)
            yield
    finally:
        _numbers.reset(token)
        _write(route, numbers)


def measure(name, value, unit, *, lane=""):
    """Note a number of this invocation, in CloudWatch's ``unit``; "Count" adds up.

    It is kept by stack and channel, or, with a ``lane``, by stack and lane.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
    """
    numbers = _numbers.get()
    if numbers is None:
        return
    values = numbers.setdefault(lane, {}).setdefault((name, unit), [])
    if unit == "Count" and values:
        values[0] += value
    else:
        values.append(value)


def _write(route, numbers):
    if not numbers:
        return
    # Not at import: an invocation that finds nothing to do never needs it.
    from aws_lambda_powertools.metrics import EphemeralMetrics

    stack = os.environ.get("POWERTOOLS_SERVICE_NAME") or os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    for lane, found in numbers.items():
        # Its own dimension `service` would be a third one: each combination is a metric that is paid for.
        metrics = EphemeralMetrics(namespace=NAMESPACE, service="")
        metrics.add_dimension("stack", stack)
        metrics.add_dimension(*(("lane", lane) if lane else ("channel", route)))
        for (name, unit), values in found.items():
            for value in values:
                metrics.add_metric(name, unit, value)
        if metrics.metric_set:
            metrics.flush_metrics()
