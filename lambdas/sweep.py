"""Every minute: rings again for what is due, counts what is finished, looks at AWS, removes what is old."""

import logging

from notifier.observing import BUDGET_USED, log_failure, measure, observed

from ._django import set_up
from ._handler import clock_of

set_up()

from notifier.deliveries.sweep import sweep, sweep_in_turns  # noqa: E402 - Django must be set up first
from notifier.deploy.connections import connected  # noqa: E402
from notifier.gates import budgets  # noqa: E402
from notifier.operations import counts, retention  # noqa: E402

from ._readings import read_gauges  # noqa: E402

logger = logging.getLogger(__name__)

# What the overview shows of the account, on top of the dead letters, which are the stack's own. Read by
# `manage.py stack` without importing this file. Neither CloudWatch nor SES lets these two be given for a part
# of the account:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsimpleemailservicev2.html
PERMISSIONS = [
    {
        "Sid": "ReadReputationAndQuota",
        "Effect": "Allow",
        "Action": ["cloudwatch:GetMetricData", "ses:GetAccount"],
        "Resource": "*",
    }
]


def handler(event, context):
    """Handler of the schedule; what it is called with does not matter."""
    with observed("sweep", context), connected(), clock_of(context) as clock:
        _keep_budgets()
        rung = sweep(clock.is_time_up)
        _look(clock)
        rung += sweep_in_turns(clock)
        if rung:
            measure("Rung", rung, "Count")
            logger.info("Rang again for %d.", rung)
    return {"rung": rung}


def _keep_budgets():
    """Before the ringing, which lets go what is not held any more.

    What fails here must not keep all else from being rung for.
    """
    try:
        for standing in budgets.keep():
            measure(BUDGET_USED, 100 if standing.is_used_up else round(100 * standing.share, 1), "Percent")
    except Exception:
        log_failure(logger, "The budgets could not be looked at; what they hold stays held.")


def _look(clock):
    """Do what can wait. Whatever fails here, the ringing was done and is done again in a minute."""
    for look in (
        lambda: counts.keep(clock.is_time_up),
        read_gauges,
        lambda: retention.purge(clock.is_time_up),
    ):
        if clock.is_time_up():
            return
        try:
            look()
        except Exception:
            log_failure(logger, "The sweep could not do all that comes after the ringing.")
