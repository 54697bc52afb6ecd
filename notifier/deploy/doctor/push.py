"""Checks that SNS pushes for us: the platform applications that are named, whether they are on, and until
when Apple's certificate is good.
"""

import os
from datetime import UTC, datetime, timedelta

from django.utils.dateparse import parse_datetime

from .findings import error, warning

SOON = timedelta(days=30)
NAME_THEM = (
    "Name their ARNs in PUSH_APPLICATIONS of the push stage in zappa_settings.json, with commas between them."
)
OR_WITHOUT = "Where nobody has an app, take that stage out."
RENEW = "Give the application a new credential: SNS console, Mobile, Push notifications."


def check_applications(context):
    """Without one no device of its platform gets anything; one that is off refuses each message."""
    # Not at the top: a deployment without this channel needs none of it.
    from lambdas._push_endpoints import APPLICATIONS, KEYS, applications

    arns = applications(_named(context, APPLICATIONS))
    if not arns:
        yield warning("No platform application is named: no push gets out.", f"{NAME_THEM} {OR_WITHOUT}")
    for key in arns.keys() - set(KEYS.values()):
        yield error(f"PUSH_APPLICATIONS names an application of {key}, which no device has.", NAME_THEM)
    for key, arn in sorted(arns.items()):
        yield from _check_application(context.client("sns"), key, arn)


def _named(context, variable):
    if not context.stage:
        return os.environ.get(variable, "")
    return next(
        filter(None, (context.environment(function).get(variable) for function in context.functions)), ""
    )


def _check_application(sns, key, arn):
    try:
        found = sns.get_platform_application_attributes(PlatformApplicationArn=arn)["Attributes"]
    except (sns.exceptions.NotFoundException, sns.exceptions.InvalidParameterException):
        yield error(f"SNS has no application {arn}.", NAME_THEM)
        return
    if str(found.get("Enabled", "true")).lower() != "true":
        yield error(f"The application of {key} is switched off: its credential was refused.", RENEW)
    # https://docs.aws.amazon.com/sns/latest/api/API_GetPlatformApplicationAttributes.html
    ends = parse_datetime(found.get("AppleCertificateExpiryDate", ""))
    if ends and ends < datetime.now(UTC) + SOON:
        yield warning(
            f"Apple's certificate of {key} ends on {ends:%Y-%m-%d}; after that no push gets out.", RENEW
        )
