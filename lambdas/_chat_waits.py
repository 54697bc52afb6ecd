"""The seconds that a chat service asks for, where it does not say them as HTTP does. Called by ``chat``.

Each is a function of the headers and the JSON of an answer.
"""

import datetime as dt
from contextlib import suppress

from notifier.channels import waits


def at(said, path):
    """What stands at ``a.b`` of an answer's JSON, or at the first of several paths (``a|b``); None where
    nothing does.
    """
    for way in path.split("|"):
        found = said
        for name in way.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        if found is not None:
            return found
    return None


def in_header(name):
    return lambda headers, _said: waits.seconds_of(headers.get(name))


def in_field(path, *, per_second=1):
    return lambda _headers, said: waits.seconds_of(at(said, path), per_second=per_second)


def of_discord(headers, said):
    """In seconds, with a fraction. The older API, by which webhooks are asked, says milliseconds: no wait in
    seconds is so long and so even. https://docs.discord.com/developers/topics/rate-limits,
    https://github.com/discord/discord-api-docs/issues/4722
    """
    told = waits.seconds_of(headers.get("x-ratelimit-reset-after"))
    asked = at(said, "retry_after")
    is_old = isinstance(asked, int) and asked >= 1000
    return told or waits.seconds_of(asked, per_second=1000 if is_old else 1)


def of_mastodon(headers, _said):
    """A time by ISO 8601: https://docs.joinmastodon.org/api/rate-limits/"""
    with suppress(ValueError, OverflowError):
        return waits.seconds_till(dt.datetime.fromisoformat(headers.get("x-ratelimit-reset", "")))
    return None
