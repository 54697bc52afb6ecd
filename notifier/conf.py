"""The ``NOTIFIER`` setting, with its defaults."""

from django.conf import settings

from .exceptions import ConfigurationError

DEFAULTS = {
    # The SNS topic that every message goes through.
    "TOPIC_ARN": "",
    # Per channel, the path on the user that holds the address. A ContactPoint row comes first; what a channel
    # declares itself comes last. `channels.registry.addresses` knows all of them.
    "ADDRESSES": {"email": "email"},
    # Where the site is, for links in messages: "https://example.com". No slash at its end.
    "BASE_URL": "",
    # The SNS topic from which `notifier.feedback.urls` takes SES's events over HTTPS; blank refuses all.
    # Needs `cryptography`.
    "FEEDBACK_TOPIC_ARN": "",
    # Where a server cannot keep the inbox's stream open (Lambda, WSGI): how often a browser that looks at it
    # asks. See docs/inbox.md.
    "INBOX_RETRY_SECONDS": 5,
    # Paths on the user that hold the person's language ("de") and time zone ("Europe/Berlin"). Without, the
    # site's.
    "LANGUAGE": "",
    "TIME_ZONE": "",
    # Dotted paths of signal middleware, the outermost first. See docs/extending.md.
    "MIDDLEWARE": [],
    # Apps and models, by their labels, of which no event may hold anything: ["payroll", "shop.Salary"]. What
    # people sign in with is so already.
    "NEVER": [],
    # A rule that would reach more people than this asks once more before it goes live.
    "CONFIRM_ABOVE": 1000,
    # The deployment's name, such as "staging", where messages name it.
    "STAGE": "",
    # Who alone gets anything, as patterns: ["*@example.com", "+44 7400 123456", "inbox:*"]. [] is nobody,
    # None everybody.
    "DELIVER_ONLY_TO": None,
    # After so many days what was said, and to which addresses, is removed; after more, that it was sent. None
    # keeps it for ever.
    "KEEP_CONTENTS_DAYS": 90,
    "KEEP_RECORDS_DAYS": 730,
    # Where the channels' modules are.
    "CHANNELS_PACKAGE": "lambdas",
}


def get(name):
    """The value of ``settings.NOTIFIER[name]``, or its default.

    Read at every call, so that tests can override it.
    """
    configured = getattr(settings, "NOTIFIER", {})
    # Asked for each message: a comparison costs a tenth of a difference.
    if not configured.keys() <= DEFAULTS.keys():
        unknown = configured.keys() - DEFAULTS.keys()
        raise ConfigurationError(
            f"NOTIFIER has unknown settings: {', '.join(sorted(unknown))}. Known: {', '.join(DEFAULTS)}."
        )
    return configured.get(name, DEFAULTS[name])
