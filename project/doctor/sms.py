"""Will SNS take our SMS: the account's monthly spend limit, what of it is spent, and the sandbox."""

from datetime import UTC, datetime, timedelta

from .findings import error, warning

# What a new account may spend on SMS in a month, in USD, until AWS is asked for more:
# https://docs.aws.amazon.com/sns/latest/dg/channels-sms-awssupport-spend-threshold.html
FIRST_LIMIT_USD = 1.0
NEARLY_SPENT = 0.8

RAISE = (
    "Ask for a higher quota: Service Quotas console, Amazon SNS, account spend limit. "
    "Then, for 50 USD a month: aws sns set-sms-attributes --attributes MonthlySpendLimit=50"
)


def check_spend_limit(context):
    """SNS stops sending within minutes of the limit, and answers as if it did not."""
    attributes = context.client("sns").get_sms_attributes()["attributes"]
    # An account that never set it has what AWS gives to a new one.
    limit = float(attributes.get("MonthlySpendLimit") or FIRST_LIMIT_USD)
    if limit <= FIRST_LIMIT_USD:
        yield warning(f"The account may spend {limit:g} USD a month on SMS: a few dozen messages.", RAISE)
    spent = _spent_this_month(context.client("cloudwatch"))
    if spent >= NEARLY_SPENT * limit:
        say = error if spent >= limit else warning
        yield say(f"{spent:.2f} of the {limit:g} USD that the account may spend on SMS this month are spent.", RAISE)


def check_sandbox(context):
    """In the sandbox an SMS reaches only numbers that were verified: https://docs.aws.amazon.com/sns/latest/dg/sns-sms-sandbox.html"""
    if context.client("sns").get_sms_sandbox_account_status()["IsInSandbox"]:
        yield warning(
            "SMS is in its sandbox: it reaches up to ten verified numbers only.",
            "SNS console, Text messaging (SMS), Exit SMS sandbox.",
        )


def _spent_this_month(cloudwatch):
    """USD; a month in which nothing was sent yet has no figure, so 0.

    https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html
    """
    now = datetime.now(UTC)
    # Not before the first of the month, when the metric starts over.
    since = max(now - timedelta(days=1), now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
    found = cloudwatch.get_metric_statistics(
        Namespace="AWS/SNS",
        MetricName="SMSMonthToDateSpentUSD",
        StartTime=since,
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["Maximum"],
    )
    return max((point["Maximum"] for point in found["Datapoints"]), default=0.0)
