"""The time for which a provider asks to be left alone: read in its unit, whole seconds, never without end.

Every channel reads its provider's words here, and everything that waits for a provider is bounded here.
"""

import datetime as dt
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime

# The longest window of any of them: X's daily limits. A number above it is of another unit, or no wait at
# all. https://docs.x.com/x-api/fundamentals/rate-limits
MAX_WAIT_SECONDS = 24 * 3600
# Of a JSON number or a header; a sign, an exponent or a word is no wait.
NUMBER = re.compile(r"(?a:\d{1,20})(?a:\.\d{1,20})?")
# Seconds since 1970 reach this in the year 5138, milliseconds did so in 1973.
FIRST_MILLISECOND = 100_000_000_000


def bounded(seconds: object) -> int | None:
    """Whole seconds from 0 to MAX_WAIT_SECONDS, rounded up; None for what is no wait: a negative number, not
    a number.
    """
    number = _number(seconds)
    return None if number is None else min(-int(-number // 1), MAX_WAIT_SECONDS)


def seconds_of(said: object, *, per_second: int = 1) -> int | None:
    """A provider's number as ``bounded`` seconds, at least one. ``per_second``: 1000 where it counts
    milliseconds.
    """
    number = _number(said)
    return None if number is None else max(1, bounded(number / per_second) or 0)


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Seconds that the header Retry-After names, as a number or as a date; None where it says nothing.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    said = str(headers.get("retry-after") or "").strip()
    if NUMBER.fullmatch(said):
        return seconds_of(said)
    with suppress(ValueError, OverflowError):
        return seconds_till(parsedate_to_datetime(said))
    return None


def seconds_till(moment: dt.datetime) -> int | None:
    """Seconds until a time; None for one that is over.

    One without a zone is in UTC, not in the zone of this process.
    https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return seconds_of(aware.timestamp() - time.time())


def seconds_until(reset: object) -> int | None:
    """Seconds until a time since 1970, in seconds or in milliseconds; None for one that is over, or for no
    time.
    """
    number = _number(reset)
    if number is None:
        return None
    seconds = number / 1000 if number >= FIRST_MILLISECOND else number
    left = seconds - time.time()
    return seconds_of(left) if left > 0 else None


def _number(said: object) -> float | None:
    """A number from 0 on; None for anything else."""
    if isinstance(said, str):
        said = float(said) if NUMBER.fullmatch(said.strip()) else None
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    with suppress(OverflowError):
        found = float(said)
        # A NaN is equal to nothing.
        return found if 0 <= found < float("inf") else None
    # A whole number beyond all floats.
    return float(MAX_WAIT_SECONDS) if said > 0 else None
