"""System checks: what is missing before anything can be sent (``manage.py check --deploy``)."""

from django.conf import settings
from django.core import checks

from . import channels, conf


@checks.register(checks.Tags.compatibility)
def check_settings(**_options):
    """The setting itself: unknown names, channels that do not exist."""
    configured = getattr(settings, "NOTIFIER", {})
    problems = [
        checks.Error(f"NOTIFIER has an unknown setting: {name}.", hint=f"Known: {', '.join(conf.DEFAULTS)}.", id="notifier.E001")
        for name in sorted(configured.keys() - conf.DEFAULTS.keys())
    ]
    known = channels.channel_names() if not problems else []
    return problems + [
        checks.Warning(
            f'NOTIFIER["ADDRESSES"] names the channel {name}, which does not exist.',
            hint=f"There are: {', '.join(known)}.",
            id="notifier.W002",
        )
        for name in sorted(conf.get("ADDRESSES"))
        if known and name not in known
    ]


@checks.register(checks.Tags.security, deploy=True)
def check_deployment(**_options):
    """What a deployment needs besides: the topic, and a mail backend that sends by SES."""
    problems = []
    if not conf.get("TOPIC_ARN"):
        problems.append(
            checks.Error('NOTIFIER["TOPIC_ARN"] is not set.', hint="Give it the ARN of the SNS topic.", id="notifier.E003")
        )
    if not settings.EMAIL_BACKEND.startswith("anymail."):
        problems.append(
            checks.Warning(
                f"EMAIL_BACKEND is {settings.EMAIL_BACKEND}, which does not send by SES.",
                hint="Set it to anymail.backends.amazon_ses.EmailBackend.",
                id="notifier.W004",
            )
        )
    return problems
