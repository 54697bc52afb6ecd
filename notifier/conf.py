"""The ``NOTIFIER`` setting, with its defaults."""

from django.conf import settings

from .exceptions import ConfigurationError

DEFAULTS = {
    # The SNS topic that every message goes through.
    "TOPIC_ARN": "",
    # Per channel, the path on the user that holds the address. A ContactPoint row comes first.
    "ADDRESSES": {"email": "email"},
    # Where the channels' modules are.
    "CHANNELS_PACKAGE": "lambdas",
}


def get(name):
    """The value of ``settings.NOTIFIER[name]``, or its default. Read at every call, so that tests can override it."""
    configured = getattr(settings, "NOTIFIER", {})
    if unknown := configured.keys() - DEFAULTS.keys():
        raise ConfigurationError(f"NOTIFIER has unknown settings: {', '.join(sorted(unknown))}. Known: {', '.join(DEFAULTS)}.")
    return configured.get(name, DEFAULTS[name])
