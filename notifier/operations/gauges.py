"""The newest readings of what only AWS knows. Written by ``lambdas._readings``, shown by the admin's
overview.
"""

import datetime as dt
import math

from django.utils import timezone

from ..models import Gauge
from ..models.counts import account_refusal, record_gauges

# When AWS was asked last, whatever it answered.
ASKED = "aws.asked"
# Shares of mails, from 0 to 1.
BOUNCE_RATE, COMPLAINT_RATE = "ses.bounce_rate", "ses.complaint_rate"
# From the first on SES reviews the account, from the second on it may stop it.
# https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html
BOUNCE_LIMITS, COMPLAINT_LIMITS = (0.05, 0.1), (0.001, 0.005)
# Mails in 24 hours; a quota of -1 is none.
QUOTA, QUOTA_USED = "ses.quota", "ses.quota_used"
# Mails a second.
SEND_RATE = "ses.send_rate"
# 1 where SES sends, 0 where it has stopped the account.
SENDING_ENABLED = "ses.sending_enabled"

# So long after a provider has refused all that is ours, people read of it.
REFUSAL_COUNTS_FOR = dt.timedelta(days=1)


def refusing_accounts(readings):
    """Channel → when its provider last refused all that is ours, of the last day; ``readings`` as ``read``
    gives them.
    """
    prefix, since = account_refusal(""), timezone.now() - REFUSAL_COUNTS_FOR
    return {
        name.removeprefix(prefix): gauge.measured_at
        for name, gauge in sorted(readings.items())
        if name.startswith(prefix) and gauge.measured_at > since
    }


def dead_letters(route):
    """The name of the gauge that holds how many messages the route's dead-letter queue holds."""
    return f"dlq.{route}"


def record(readings):
    """Store name → value, measured now."""
    record_gauges(readings)


def read():
    """Name → Gauge, all there are; a value that is no finite number is None."""
    found = {gauge.name: gauge for gauge in Gauge.objects.all()}
    for gauge in found.values():
        if gauge.value is not None and not math.isfinite(gauge.value):
            gauge.value = None
    return found


def value(name):
    """The newest reading of ``name``, or None."""
    return Gauge.objects.filter(name=name).values_list("value", flat=True).first()


def is_due(every):
    """Whether AWS was not asked for the time ``every``."""
    return not Gauge.objects.filter(name=ASKED, measured_at__gt=timezone.now() - every).exists()
