"""The ``NOTIFIER`` setting, with its defaults."""

from django.conf import settings

from .exceptions import ConfigurationError

DEFAULTS = {
    # The SNS topic that every message goes through.
    "TOPIC_ARN": "",
    # Per channel, the path on the user that holds the address. A ContactPoint row comes first.
    "ADDRESSES": {"email": "email", "inbox": "pk", "push": "pk"},
    # Where the site is, for links in messages: "https://example.com". No slash at its end.
    "BASE_URL": "",
    # Paths on the user that hold the person's language ("de") and time zone ("Europe/Berlin"). Without, the site's.
    "LANGUAGE": "",
    "TIME_ZONE": "",
    # Dotted paths of signal middleware, the outermost first. See docs/extending.md.
    "MIDDLEWARE": [],
    # A rule that would reach more people than this asks once more before it goes live.
    "CONFIRM_ABOVE": 1000,
    # Where the channels' modules are.
    "CHANNELS_PACKAGE": "lambdas",
}


def get(name):
    """The value of ``settings.NOTIFIER[name]``, or its default. Read at every call, so that tests can override it."""
    configured = getattr(settings, "NOTIFIER", {})
    if unknown := configured.keys() - DEFAULTS.keys():
        raise ConfigurationError(f"NOTIFIER has unknown settings: {', '.join(sorted(unknown))}. Known: {', '.join(DEFAULTS)}.")
    return configured.get(name, DEFAULTS[name])
