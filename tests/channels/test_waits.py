"""A provider's wait is read in its unit, is never without end, and nonsense is no wait."""

import datetime as dt
import json
from email.utils import format_datetime

import pytest

from notifier.channels import waits

DAY = 24 * 3600
NOW = 1_790_000_000.0


@pytest.fixture
def now(monkeypatch):
    monkeypatch.setattr(waits.time, "time", lambda: NOW)


def date(seconds):
    return format_datetime(dt.datetime.fromtimestamp(NOW + seconds, dt.UTC), usegmt=True)


RETRY_AFTER = [
    ("30", 30),
    (" 30 ", 30),
    ("0", 1),  # at once is not in the same moment
    ("1.2", 2),  # no integer, as some send it; never too early
    ("100000", DAY),
    ("9999999999", DAY),
    ("9" * 400, None),  # no number of anything
    ("-5", None),
    ("1e9", None),
    ("inf", None),
    ("nan", None),
    ("٣٠", None),  # digits, and no header's
    ("1_000", None),
    ("soon", None),
    ("", None),
    (None, None),  # no header
    (date(90), 90),
    (date(90).removesuffix(" GMT"), 90),  # no zone is UTC
    (date(-90), None),  # over
    (date(20 * 365 * DAY), DAY),
    ("Tue, 99 Foo 2026 99:99:99 GMT", None),
    ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
]


@pytest.mark.parametrize(("said", "seconds"), RETRY_AFTER)
def test_a_header_is_a_number_or_a_date_and_bounded(now, said, seconds):
    assert waits.retry_after({} if said is None else {"retry-after": said}) == seconds


NUMBERS = [
    # as JSON has it, what a second has of it, seconds
    ("35", 1, 35),
    ("64.57", 1, 65),
    ("0.2", 1, 1),
    ("0", 1, 1),
    ("1500", 1000, 2),
    ("-1", 1, None),
    ("1e400", 1, None),  # infinite, once it is read
    ("NaN", 1, None),
    ("1" + "0" * 400, 1, DAY),  # beyond all floats
    ("true", 1, None),
    ("null", 1, None),
    ("[]", 1, None),
    ('"35"', 1, 35),  # as a text
    ('"35s"', 1, None),
]


@pytest.mark.parametrize(("said", "per_second", "seconds"), NUMBERS)
def test_a_number_of_an_answer_is_read_in_its_unit(said, per_second, seconds):
    assert waits.seconds_of(json.loads(said), per_second=per_second) == seconds


RESETS = [
    (NOW + 900, 900),
    (str(int(NOW) + 900), 900),
    (int((NOW + 900) * 1000), 900),  # in milliseconds
    (4_102_444_800, DAY),  # in 2100
    (4_102_444_800_000, DAY),
    (NOW - 900, None),  # over
    ((NOW - 900) * 1000, None),
    (0, None),
    ("soon", None),
    ("9" * 5000, None),  # more digits than Python reads
]


@pytest.mark.parametrize(("reset", "seconds"), RESETS)
def test_a_reset_is_a_time_in_seconds_or_milliseconds(now, reset, seconds):
    assert waits.seconds_until(reset) == seconds


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        (0, 0),
        (0.1, 1),
        (900, 900),
        (10**12, DAY),
        (10**400, DAY),
        (-1, None),
        (float("inf"), None),
        (float("nan"), None),
        ("soon", None),
        (None, None),
    ],
)
def test_whatever_a_channel_asks_for_is_bounded(asked, seconds):
    assert waits.bounded(asked) == seconds
