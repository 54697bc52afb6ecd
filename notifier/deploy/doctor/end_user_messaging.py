"""Checks that AWS End User Messaging takes our SMS: its sandbox and spend limit, and where they come from.

https://docs.aws.amazon.com/sms-voice/latest/userguide/sandbox.html
"""

from .findings import error, warning

SERVICE = "pinpoint-sms-voice-v2"
# What a new account may spend on SMS in a month, in USD.
FIRST_LIMIT_USD = 1
TEXTS = "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT"
# Each kind of sender: how it is asked for, where its answer has them, and by which names one is known.
SENDERS = (
    ("describe_pools", "Pools", ("PoolId", "PoolArn")),
    ("describe_phone_numbers", "PhoneNumbers", ("PhoneNumber", "PhoneNumberId", "PhoneNumberArn")),
    ("describe_sender_ids", "SenderIds", ("SenderId", "SenderIdArn")),
)
REQUEST = "End User Messaging console: request a phone number or sender ID, and put it into a pool"


def check_spend_limit(context):
    """Beyond the limit it refuses each message."""
    limits = context.client(SERVICE).describe_spend_limits()["SpendLimits"]
    limit = next((each["EnforcedLimit"] for each in limits if each["Name"] == TEXTS), FIRST_LIMIT_USD)
    if limit <= FIRST_LIMIT_USD:
        yield warning(
            f"The account may spend {limit} USD a month on SMS: a few dozen messages.",
            "Ask for a higher quota: Support Center, Service quota increase, End User Messaging SMS. "
            "Then, for 50 USD a month: "
            f"aws {SERVICE} set-text-message-spend-limit-override --monthly-limit 50",
        )


def check_sandbox(context):
    """In the sandbox an SMS reaches only numbers that were verified."""
    attributes = context.client(SERVICE).describe_account_attributes()["AccountAttributes"]
    if ("ACCOUNT_TIER", "SANDBOX") in [(each["Name"], each["Value"]) for each in attributes]:
        yield warning(
            "SMS is in its sandbox: it reaches up to ten verified numbers only.",
            "End User Messaging console, SMS, Overview, Request production access.",
        )


def check_sender(context, named):
    """``named`` is the identity that the stage names, or blank: then AWS takes one of the account's."""
    client = context.client(SERVICE)
    found = {
        name: each
        for ask, listed, names in SENDERS
        for page in client.get_paginator(ask).paginate()
        for each in page[listed]
        for name in map(each.get, names)
        if name
    }
    if named and named not in found:
        yield error(
            f"SMS_ORIGINATION_IDENTITY names {named}, and the account has no such sender: no SMS gets out.",
            f"{REQUEST} ; then name that.",
        )
    elif named and found[named].get("Status", "ACTIVE") != "ACTIVE":
        yield error(
            f"{named} is {found[named]['Status']}: no SMS gets out.",
            f"See why: aws {SERVICE} describe-phone-numbers, or the End User Messaging console.",
        )
    elif not found:
        yield error(
            "The account has no number, pool or sender of its own: AWS End User Messaging sends nothing.",
            f"{REQUEST} ; or leave SMS_DRIVER out: SNS sends without one where a country allows that.",
        )
