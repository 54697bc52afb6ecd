"""All that waits, in zones whose clocks are put forward and back, at the ends of months and years, and where
a person's zone is unknown.

A time that a clock leaves out is as much later; one that it shows twice is the first of the two, but quiet
hours are quiet twice.
"""

import datetime as dt
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from lambdas import _chat_waits
from notifier import deliveries, emit
from notifier.channels import waits
from notifier.deliveries import allowances, digests, outcomes
from notifier.events import emission
from notifier.exceptions import EmitError, OutcomeUnknown, TryAgain
from notifier.gates import budgets, quiet_hours
from notifier.models import Allowance, Budget, HourlyCount, Preferences, counts
from project.demo.models import Post
from tests.support.builders import make_delivery, make_trigger

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)

# A day on which the clock is put forward, and one on which it is put back, or just any day.
CHANGES = [
    ("UTC", "2024-02-28"),  # a leap day follows
    ("UTC", "2026-12-31"),
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),  # a month's first day
    ("Australia/Lord_Howe", "2026-10-04"),  # by half an hour
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Asia/Kolkata", "2026-02-28"),
    ("Asia/Kathmandu", "2026-12-31"),
    ("America/St_Johns", "2026-03-08"),
    ("America/St_Johns", "2026-11-01"),
    ("America/St_Johns", "2010-11-07"),  # at one minute past midnight
    ("Pacific/Apia", "2011-12-29"),  # the next day is left out
    ("Africa/Casablanca", "2026-02-15"),  # around Ramadan
    ("Africa/Casablanca", "2026-03-22"),
    ("America/Sao_Paulo", "2018-11-04"),  # at midnight
    ("America/Sao_Paulo", "2018-02-17"),
    ("Pacific/Chatham", "2026-09-27"),
    ("Pacific/Chatham", "2026-04-05"),
    ("Asia/Tehran", "2022-03-22"),  # at midnight; since then never
    ("Asia/Tehran", "2022-09-21"),
    ("America/Havana", "2015-11-01"),  # midnight comes twice on a month's first day
    ("America/Asuncion", "2017-10-01"),  # midnight is left out on a month's first day
]


def around(zone, day):
    """Each tenth minute of three days, in UTC."""
    begin = dt.datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC) - DAY
    return [begin + number * 10 * MINUTE for number in range(3 * 24 * 6)]


def is_put_back(zone, now):
    return now.astimezone(zone).utcoffset() > (now + DAY).astimezone(zone).utcoffset()


QUIET = [("22:00", "07:00"), ("23:30", "00:30"), ("23:00", "02:15"), ("01:00", "02:30"), ("02:10", "02:40"),
         ("00:00", "08:00"), ("22:00", "00:00"), ("12:00", "11:50")]  # fmt: skip


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize(("begin", "end"), QUIET)
def test_quiet_hours_end_once_and_all_that_waits_for_them_at_the_same_moment(zone, day, begin, end):
    wish = Preferences(
        quiet_from=dt.time.fromisoformat(begin), quiet_until=dt.time.fromisoformat(end), time_zone=zone
    )
    place, seen = ZoneInfo(zone), 0
    for now in around(zone, day):
        until = quiet_hours.quiet_until(wish, now)
        wall = now.astimezone(place).time()
        over = begin > end
        shown = wall >= wish.quiet_from or wall < wish.quiet_until if over else (
            wish.quiet_from <= wall < wish.quiet_until
        )  # fmt: skip
        # Nothing is quiet that the clock does not show so, but what an end that is left out has put off.
        assert until is not None or not shown
        if until is None:
            continue
        seen += 1
        assert now < until <= now + 25 * HOUR
        shows = until.astimezone(place)
        assert shows.time() == wish.quiet_until or _left_out(shows, wish)
        for later in (now + 5 * MINUTE, until - MINUTE):
            if now < later < until and not is_put_back(place, now - HOUR):
                assert quiet_hours.quiet_until(wish, later) == until
        if not is_put_back(place, now - DAY):
            assert quiet_hours.quiet_until(wish, until) is None
    assert seen


def _left_out(shows, wish):
    wanted = dt.datetime.combine(shows.date(), wish.quiet_until, shows.tzinfo)
    return wanted.astimezone(dt.UTC).astimezone(shows.tzinfo).time() != wish.quiet_until


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_a_digest_comes_at_eight_on_the_clock_of_the_person_once_a_day(zone, day):
    place, mornings = ZoneInfo(zone), set()
    for now in around(zone, day):
        morning = digests.next_morning(zone, now)
        assert now < morning.astimezone(dt.UTC) <= now + 25 * HOUR
        assert f"{morning.astimezone(dt.UTC).astimezone(place):%H:%M}" == "08:00"
        mornings.add(morning.astimezone(dt.UTC))
    assert len(mornings) in (3, 4)


ZONES = [
    # what the person has chosen (as stored), what a delivery has, the time of the digest of 2026-01-10 (UTC)
    ("", "", "08:00"),
    ("", "Asia/Tokyo", "23:00"),
    ("Asia/Tokyo", "Asia/Tokyo", "23:00"),
    ("Mars/Olympus", "Asia/Tokyo", "23:00"),  # no such zone any more: what the settings say
    ("Mars/Olympus", "", "08:00"),
    ("Asia/Kathmandu", "Asia/Kathmandu", "02:15"),
]


@pytest.mark.parametrize(("chosen", "found", "expected"), ZONES)
def test_a_zone_that_is_unknown_is_that_of_the_settings_then_the_sites(chosen, found, expected, monkeypatch):
    monkeypatch.setattr(digests, "_open_windows", lambda *_: ())
    now = dt.datetime(2026, 1, 10, 0, 0, tzinfo=dt.UTC)
    wanted = {"user:1": Preferences(digest="daily", time_zone=chosen)}
    row = SimpleNamespace(recipient="user:1", channel="email", time_zone=found)
    windows = digests.Windows(SimpleNamespace(digest_minutes=None), [row], wanted, now)
    assert f"{windows.end_for(row).astimezone(dt.UTC):%H:%M}" == expected
    wish = Preferences(quiet_from=dt.time(0), quiet_until=dt.time(8), time_zone=chosen)
    until = quiet_hours.quiet_until(wish, windows.end_for(row).astimezone(dt.UTC) - HOUR, found)
    assert f"{until:%H:%M}" == expected


# What the caller of `emit` says


def at(text, zone, fold=0):
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


BERLIN, HOWE = "Europe/Berlin", "Australia/Lord_Howe"
TIMES = [
    # at, expires → when it starts and expires (UTC)
    (at("2030-10-27T01:30", BERLIN), 2 * HOUR, "10-26 23:30", "10-27 01:30"),  # two hours, not three
    (at("2030-03-31T01:30", BERLIN), 2 * HOUR, "03-31 00:30", "03-31 02:30"),  # nor one
    (at("2030-10-27T02:30", BERLIN), HOUR, "10-27 00:30", "10-27 01:30"),  # the first of two
    (at("2030-10-27T02:30", BERLIN, fold=1), HOUR, "10-27 01:30", "10-27 02:30"),
    (at("2030-03-31T02:30", BERLIN), HOUR, "03-31 01:30", "03-31 02:30"),  # left out: 3:30
    # by the clock on the wall it would expire before
    (at("2030-10-27T02:50", BERLIN), at("2030-10-27T02:10", BERLIN, fold=1), "10-27 00:50", "10-27 01:10"),
    (at("2030-04-07T01:30", HOWE), HOUR, "04-06 14:30", "04-06 15:30"),
    (at("2028-02-28T23:30", "UTC"), DAY, "02-28 23:30", "02-29 23:30"),
    (at("2030-12-31T23:30", "Asia/Kathmandu"), HOUR, "12-31 17:45", "12-31 18:45"),
]


@pytest.mark.parametrize(("starts", "expires", "expected", "ends"), TIMES)
def test_a_time_of_emit_is_a_moment_whatever_the_clock_does(starts, expires, expected, ends):
    found = emission._times(starts, expires)
    assert [f"{found[name]:%m-%d %H:%M}" for name in ("starts_at", "expires_at")] == [expected, ends]
    assert {each.tzinfo for each in found.values()} == {dt.UTC}


def test_what_expires_before_it_starts_is_refused_also_in_an_hour_that_comes_twice():
    with pytest.raises(EmitError, match="expire before it is sent"):
        emission._times(at("2030-10-27T02:10", BERLIN, fold=1), at("2030-10-27T02:50", BERLIN))


@pytest.mark.parametrize(
    "told",
    [
        {"at": dt.datetime.max.replace(tzinfo=ZoneInfo("America/New_York"))},
        {"expires": dt.timedelta.max},
        {"expires": dt.datetime.min.replace(tzinfo=ZoneInfo("Asia/Tokyo"))},
    ],
)
def test_a_time_that_no_calendar_has_is_refused(told):
    with pytest.raises(EmitError, match="no calendar"):
        emission._times(**({"at": None, "expires": None} | told))


@pytest.mark.django_db
def test_a_triggers_expiry_counts_from_a_start_in_any_zone():
    make_trigger(expires_minutes=120)
    post = Post.objects.create(title="One")
    [event] = emit("post_save", instance=post, created=True, at=at("2030-10-27T01:30", BERLIN))
    assert event.expires_at - event.starts_at.astimezone(dt.UTC) == 2 * HOUR


# The month of a budget

MONTHS = [
    # the site's zone, now (UTC), the begin of the month (UTC)
    ("UTC", "2024-02-29T23:59", "2024-02-01T00:00"),
    ("UTC", "2026-12-31T23:59", "2026-12-01T00:00"),
    ("Europe/Berlin", "2026-10-31T22:59", "2026-09-30T22:00"),  # summer time when it began
    ("Europe/Berlin", "2026-10-31T23:00", "2026-10-31T23:00"),
    ("Asia/Kathmandu", "2026-01-31T18:15", "2026-01-31T18:15"),
    ("America/St_Johns", "2026-03-01T03:29", "2026-02-01T03:30"),
    ("America/Havana", "2015-11-01T04:30", "2015-11-01T04:00"),  # the first midnight
    ("America/Havana", "2015-11-01T05:30", "2015-11-01T04:00"),  # after the second
    ("America/Asuncion", "2017-10-15T12:00", "2017-10-01T04:00"),  # midnight is left out: 1:00
    ("Pacific/Apia", "2011-12-31T12:00", "2011-12-31T10:00"),
]


@pytest.mark.parametrize(("zone", "now", "expected"), MONTHS)
def test_a_month_begins_when_the_sites_clock_first_shows_it(zone, now, expected, settings, monkeypatch):
    settings.TIME_ZONE = zone
    now = dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    assert f"{budgets.month_begin().astimezone(dt.UTC):%Y-%m-%dT%H:%M}" == expected


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Asia/Kolkata", "Pacific/Chatham", "UTC"])
def test_what_is_spent_in_the_hour_in_which_the_month_begins_counts(zone, settings):
    settings.TIME_ZONE = zone
    budget = Budget.objects.create(channel="sms", monthly_usd=10)
    hour = counts.hour_of(budgets.month_begin())
    for number, begin in enumerate((hour - HOUR, hour, hour + HOUR)):
        HourlyCount.objects.create(hour=begin, channel="sms", status="sent", cost_micros=10**number)
    assert budgets.look(budget).spent == 110


# Spans: how often, and the next try. A day is 24 hours of them, whatever the calendar makes of it.


@pytest.fixture
def moment(monkeypatch, settings):
    """``moment(now)``: it is then, on a site and in a process of that time's zone."""

    def moment(now):
        settings.TIME_ZONE = now.tzinfo.key
        monkeypatch.setattr(timezone, "now", lambda: now.astimezone(dt.UTC))

    return moment


def after(begin, span):
    """The time that is so much later, not the one that the clock on the wall shows so much later."""
    return (begin.astimezone(dt.UTC) + span).astimezone(begin.tzinfo)


# From a moment just before the change, to the next evening, over it by a minute, and over a month's end.
SPANS = [(30 * MINUTE, "23:50"), (HOUR, "01:30"), (DAY, "12:00"), (30 * DAY, "00:00")]


@pytest.mark.django_db
@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize(("span", "begin"), SPANS)
@pytest.mark.parametrize("about", ["", "demo.post:1"])  # a throttle, a cooldown
def test_an_allowance_lasts_for_its_minutes_whatever_the_clock_does(zone, day, span, begin, about, moment):
    begin = at(f"{day}T{begin}", zone)

    def may_have(now):
        moment(now)
        return bool(allowances.take(1, ["user:1"], about=about, number=1, minutes=span // MINUTE))

    assert may_have(begin)
    last = after(begin, span - MINUTE)
    assert not may_have(last)
    assert not allowances.forget_ended()
    # What was refused has made it no longer.
    assert may_have(after(begin, span))
    assert Allowance.objects.get().ends_at - begin.astimezone(dt.UTC) == 2 * span


POLICY = deliveries.Policy(at_most_once=False, horizon=DAY)
TRIES = [
    # what the provider says, how long after it the next try is
    (TryAgain("throttled", after_seconds=1800), 30 * MINUTE),
    (TryAgain("throttled", after_seconds=5400), 90 * MINUTE),
    (TryAgain("throttled", after_seconds=86_400), DAY - HOUR),  # its horizon is a day, of which an hour went
    (TryAgain("busy"), HOUR),  # our own backoff, at its longest
    (OutcomeUnknown("timeout"), HOUR),
]


@pytest.mark.django_db
@pytest.mark.usefixtures("rings_nowhere")
@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize(("answer", "span"), TRIES)
def test_the_next_try_is_so_much_later_whatever_the_clock_does(zone, day, answer, span, moment, monkeypatch):
    monkeypatch.setattr(outcomes.random, "uniform", lambda _least, most: most)
    begin = at(f"{day}T00:30", zone)
    moment(begin)
    created = begin.astimezone(dt.UTC) - HOUR
    delivery = make_delivery(created_at=created, attempts=9)
    [work] = deliveries.claim_deliveries([delivery.pk], channel="email", lease_seconds=900)
    deliveries.record_answers([(work, answer)], POLICY)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.due_at) == ("waiting", begin.astimezone(dt.UTC) + span)
    moment(after(begin, span - MINUTE))
    assert deliveries.take_due(10) == []
    moment(after(begin, span))
    assert deliveries.take_due(10) == [("email", delivery.pk)]


@pytest.mark.django_db
@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize(("age", "status"), [(DAY - MINUTE, "waiting"), (DAY, "failed")])
def test_it_is_given_up_after_a_day_of_24_hours(zone, day, age, status, moment):
    begin = at(f"{day}T00:30", zone)
    moment(begin)
    delivery = make_delivery(created_at=begin.astimezone(dt.UTC))
    moment(after(begin, age))
    [work] = deliveries.claim_deliveries([delivery.pk], channel="email", lease_seconds=900)
    deliveries.record_answers([(work, TryAgain("throttled", after_seconds=600))], POLICY)
    delivery.refresh_from_db()
    assert delivery.status == status


SAID = [
    # how a provider names the time of the next try: 90 minutes after midnight (UTC)
    lambda day: waits.retry_after({"retry-after": f"{day:%a, %d %b %Y} 01:30:00 GMT"}),
    lambda day: waits.retry_after({"retry-after": f"{day:%a, %d %b %Y} 03:30:00 +0200"}),
    lambda day: waits.retry_after({"retry-after": f"{day:%A, %d-%b-%y} 01:30:00 GMT"}),
    # The oldest form names no zone, and is in UTC: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
    lambda day: waits.retry_after({"retry-after": f"{day:%a %b %e} 01:30:00 {day:%Y}"}),
    lambda day: waits.retry_after({"retry-after": f"{day:%a, %d %b %Y} 01:30:00 -0000"}),
    lambda day: waits.retry_after({"retry-after": "5400"}),
    lambda day: waits.seconds_until(day.timestamp() + 5400),
    lambda day: _chat_waits.of_mastodon({"x-ratelimit-reset": f"{day:%Y-%m-%d}T01:30:00Z"}, {}),
    lambda day: _chat_waits.of_mastodon({"x-ratelimit-reset": f"{day:%Y-%m-%d}T03:30:00+02:00"}, {}),
    lambda day: _chat_waits.of_mastodon({"x-ratelimit-reset": f"{day:%Y-%m-%d}T01:30:00"}, {}),
]


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize("said", SAID)
def test_a_providers_time_is_not_of_the_zone_of_this_process(zone, day, said, settings, monkeypatch):
    settings.TIME_ZONE = zone
    midnight = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
    monkeypatch.setattr(waits.time, "time", midnight.timestamp)
    assert said(midnight) == 5400
