"""Checks that whoever sends takes our SMS: SNS's limits and sandbox, Twilio's keys and account, and by
``end_user_messaging`` what AWS End User Messaging has.
"""

import os
from datetime import UTC, datetime, timedelta

import requests

from notifier.channels import credentials
from notifier.feedback.twilio import TOKENS

from . import end_user_messaging, parameters
from .findings import error, unchecked, warning

# What a new account may spend on SMS in a month, in USD, until AWS is asked for more:
# https://docs.aws.amazon.com/sns/latest/dg/channels-sms-awssupport-spend-threshold.html
FIRST_LIMIT_USD = 1.0
NEARLY_SPENT = 0.8
TWILIO_SECONDS = (3, 10)
ORIGINATION = "SMS_ORIGINATION_IDENTITY"
NEW_KEYS = (
    "Look at console.twilio.com for the account’s SID and token, and store them as "
    "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN."
)

RAISE = (
    "Ask for a higher quota: Service Quotas console, Amazon SNS, account spend limit. "
    "Then, for 50 USD a month: aws sns set-sms-attributes --attributes MonthlySpendLimit=50"
)


def check_spend_limit(context):
    """SNS stops sending within minutes of the limit, and answers as if it did not."""
    if _driver(context) == "aws":
        yield from end_user_messaging.check_spend_limit(context)
    if _driver(context) != "sns":
        return
    attributes = context.client("sns").get_sms_attributes()["attributes"]
    # An account that never set it has what AWS gives to a new one.
    limit = float(attributes.get("MonthlySpendLimit") or FIRST_LIMIT_USD)
    if limit <= FIRST_LIMIT_USD:
        yield warning(f"The account may spend {limit:g} USD a month on SMS: a few dozen messages.", RAISE)
    spent = _spent_this_month(context.client("cloudwatch"))
    if spent >= NEARLY_SPENT * limit:
        say = error if spent >= limit else warning
        yield say(
            f"{spent:.2f} of the {limit:g} USD that the account may spend on SMS this month are spent.", RAISE
        )


def check_sandbox(context):
    """In the sandbox an SMS reaches only numbers that were verified:
    https://docs.aws.amazon.com/sns/latest/dg/sns-sms-sandbox.html
    """
    if _driver(context) == "aws":
        yield from end_user_messaging.check_sandbox(context)
    if _driver(context) == "sns" and context.client("sns").get_sms_sandbox_account_status()["IsInSandbox"]:
        yield warning(
            "SMS is in its sandbox: it reaches up to ten verified numbers only.",
            "SNS console, Text messaging (SMS), Exit SMS sandbox.",
        )


def check_sender(context):
    """Where AWS End User Messaging sends, the number, pool or sender that an SMS comes from is there."""
    if _driver(context) == "aws":
        yield from end_user_messaging.check_sender(context, _variable(context, ORIGINATION))


def _from_environment(names):
    return {name: value for name in names if (value := credentials.read(name))}


def check_driver(context):
    """``SMS_DRIVER`` is one that there is; where it is Twilio, it knows the keys and the account is in use.

    Nothing is sent.
    """
    # Not at the top: a deployment without this channel needs none of it.
    from lambdas._sms_twilio import API_KEY, KEYS, SECRET_KEYS
    from lambdas.sms import DRIVERS

    driver = _driver(context)
    if driver not in DRIVERS:
        yield error(
            f"SMS_DRIVER is {driver}, and there is no such driver: SNS sends.",
            f"Set it to {' or '.join(DRIVERS)}.",
        )
    if driver != "twilio":
        return
    names = (*KEYS, API_KEY)
    keys = parameters.read(context, names) if context.stage else _from_environment(names)
    if missing := [name for name in KEYS if not keys.get(name)]:
        stack = context.stage and context.deployment.stack_name
        remedy = " ; ".join(parameters.put(stack, name) if stack else f"export {name}=…" for name in missing)
        yield error(
            f"Twilio sends the SMS, and these are missing: {', '.join(missing)}.",
            f"{remedy} ; and name them in SECRETS.",
        )
        return
    if unusable := credentials.unusable(SECRET_KEYS, keys):
        yield error(f"{unusable} No SMS gets out.", NEW_KEYS)
        return
    try:
        yield from _judge_twilio(_ask_twilio(keys))
    except requests.RequestException as failure:
        yield unchecked(
            f"the keys of Twilio: no answer from it ({type(failure).__name__}).",
            "Run this again in a minute.",
        )


def check_statuses(context):
    """Twilio says later what became of a message: to the website, which has to know what it signs with."""
    if _driver(context) != "twilio" or not context.stage:
        return
    web, stage = context.deployment.web, context.stage
    if web.environment.get("SMS_DRIVER") != "twilio" or not {*TOKENS}.intersection(web.secrets):
        yield warning(
            "The website does not listen to Twilio: that a message did not arrive, or that somebody has "
            "answered STOP, is not heard.",
            f'In the stage {stage}: "SMS_DRIVER": "twilio", and TWILIO_AUTH_TOKEN (or, where an API key '
            f"sends, TWILIO_WEBHOOK_TOKEN) in SECRETS ; zappa update {stage}",
        )


def _driver(context):
    """The name of the driver: of the function as the settings file declares it, or of this process."""
    return _variable(context, "SMS_DRIVER") or "sns"


def _variable(context, name):
    if not context.stage:
        return os.environ.get(name, "")
    declared = [function.environment.get(name) for function in context.functions]
    return next(filter(None, declared), "")


def _ask_twilio(keys):
    """https://www.twilio.com/docs/iam/api/account#fetch-an-account-resource"""
    from lambdas._sms_twilio import KEYS, account_url

    account, token, _sender = (keys[name] for name in KEYS)
    user = keys.get("TWILIO_API_KEY") or account
    return requests.get(
        f"{account_url(account)}.json", auth=(user, token), timeout=TWILIO_SECONDS, allow_redirects=False
    )


def _judge_twilio(answer):
    if answer.status_code in (401, 403, 404):
        yield error(f"Twilio refuses the keys (it answered {answer.status_code}): no SMS gets out.", NEW_KEYS)
    elif answer.status_code != requests.codes.ok:
        yield unchecked(
            f"the keys of Twilio: it answered {answer.status_code}.",
            "Run this again in a quarter of an hour.",
        )
    elif (status := answer.json().get("status")) != "active":
        yield error(f"The account at Twilio is {status}: no SMS gets out.", "console.twilio.com says why.")
    elif answer.json().get("type") == "Trial":
        yield warning(
            "The account at Twilio is a trial: it reaches verified numbers only.",
            "Upgrade it at console.twilio.com.",
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
