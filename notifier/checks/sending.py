"""System checks of what a message is sent with: its sender, and what providers know us by."""

from django.conf import settings
from django.core import checks, mail

from ..channels import credentials, registry, sender
from ..exceptions import ConfigurationError, SenderRefused


@checks.register(checks.Tags.compatibility)
def check_sender(**_options):
    """The sender of all mails: one that a mail can have."""
    try:
        sender.address_of(str(settings.DEFAULT_FROM_EMAIL))
    except SenderRefused as refused:
        hint = 'Write an address, or a name and an address: "Shop, Inc." <shop@example.com>'
        return [checks.Error(f"DEFAULT_FROM_EMAIL cannot be used: {refused}.", hint=hint, id="notifier.E010")]
    return []


@checks.register(checks.Tags.security, deploy=True)
def check_mail_backend(**_options):
    """A mail backend that sends by SES."""
    setting, backend = _mail_backend()
    if backend.startswith("anymail."):
        return []
    return [
        checks.Warning(
            f"{setting} is {backend or 'missing'}, which does not send by SES.",
            hint="Set it to anymail.backends.amazon_ses.EmailBackend.",
            id="notifier.W004",
        )
    ]


def _mail_backend():
    """``(the setting, the dotted path in it)`` of what mail goes by: Django 6.1 has it in MAILERS."""
    if hasattr(mail, "mailers") and hasattr(settings, "MAILERS"):
        return 'MAILERS["default"]', settings.MAILERS.get("default", {}).get("BACKEND", "")
    return "EMAIL_BACKEND", settings.EMAIL_BACKEND


@checks.register(checks.Tags.compatibility)
def check_credentials(**_options):
    """The keys of the channels' providers: what can be none is sent with each message, and refused."""
    try:
        names = {each for channel in registry.channel_names() for each in registry.credentials(channel)}
    except ConfigurationError:  # `check_settings` says so
        return []
    return [
        checks.Error(problem, hint="Store it again, as its provider shows it.", id="notifier.E011")
        for name in sorted(names)
        if (problem := credentials.unusable([name]))
    ]
