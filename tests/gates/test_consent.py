"""What people have chosen counts when something is sent: opt-outs win over whatever was claimed later, quiet
hours are waited for.
"""

import datetime as dt
import threading
import time
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from lambdas import email
from notifier import deliveries
from notifier.channels.registry import disturbs
from notifier.deliveries import composing
from notifier.deliveries.fanout import fan_out
from notifier.events import loading
from notifier.exceptions import Later, Skipped
from notifier.gates import opted_out, quiet_hours
from notifier.gates.table import ask_all, ask_final
from notifier.models import Category, ContentVersion, Delivery, Event, OptOut, Preferences
from notifier.people import opt_outs, reader_links
from tests.support.builders import make_delivery, make_event, make_trigger, make_user
from tests.support.functions import bodies_for, invoke
from tests.support.patience import PATIENCE_SECONDS, in_threads, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def offers():
    return Category.objects.create(name="offers", title="Offers")


@pytest.fixture
def security():
    return Category.objects.create(name="security", title="Security", mandatory=True)


def delivery_for(user, category=None, **values):
    delivery = make_delivery(recipient=f"user:{user.pk}", address=user.email, **values)
    Event.objects.filter(pk=delivery.event_id).update(category=category)
    return delivery


def refused(deliveries, channel="email"):
    """The reason of each that a final gate refuses, or None."""
    return [answer and answer.reason for answer in ask_final(deliveries, channel)]


# Opting out

CHOICES = [
    # what was opted out of (category, channel), the event's category, whether it is refused
    (("offers", "email"), "offers", True),
    (("offers", ""), "offers", True),  # on every channel
    ((None, "email"), "offers", True),  # everything by mail
    ((None, ""), "offers", True),
    ((None, ""), None, True),  # a trigger without a category
    ((None, "email"), None, True),
    (("offers", "sms"), "offers", False),  # another channel
    (("offers", "email"), None, False),  # only everything stops what has no category
    (("offers", "email"), "news", False),  # another category
    ((None, "sms"), "offers", False),
    (("security", "email"), "security", False),  # nobody can
    ((None, ""), "security", False),
]


@pytest.mark.parametrize(("chosen", "category", "is_refused"), CHOICES)
def test_an_opt_out_stops_what_it_is_of_and_nothing_else(offers, security, chosen, category, is_refused):
    known = {
        "offers": offers,
        "security": security,
        "news": Category.objects.create(name="news", title="News"),
        None: None,
    }
    ada, bo = make_user(), make_user()
    mine, others = delivery_for(ada, known[category]), delivery_for(bo, known[category])
    OptOut.objects.create(recipient=f"user:{ada.pk}", category=known[chosen[0]], channel=chosen[1])
    assert refused([mine, others]) == ["opted_out" if is_refused else None, None]


def test_a_gate_asks_once_for_all_and_says_of_what_since_when_and_how(offers, django_assert_num_queries):
    people = [make_user() for _ in range(20)]
    rows = [delivery_for(each, offers) for each in people]
    for each in people[::2]:
        opt_outs.opt_out(f"user:{each.pk}", offers.pk, "email", OptOut.Source.MAIL)
    with django_assert_num_queries(1):
        answers = opted_out.refuse(rows, "email")
    assert [isinstance(answer, Skipped) for answer in answers] == [True, False] * 10
    assert "Of “Offers” by email, on " in answers[0].detail
    assert "through the mail program’s button." in answers[0].detail


def test_the_fan_out_skips_who_opted_out_and_rings_for_the_others(offers, cloud):
    ada, bo = make_user(), make_user()
    event = make_event(recipients=[{"users": [ada.pk, bo.pk]}], audiences=[], category=offers)
    opt_outs.opt_out(f"user:{ada.pk}", offers.pk, "email", OptOut.Source.PAGE)
    fan_out(event.pk, lease_seconds=900)
    found = dict(Delivery.objects.values_list("recipient", "reason"))
    assert found == {f"user:{ada.pk}": "opted_out", f"user:{bo.pk}": ""}


@pytest.mark.django_db(transaction=True)
def test_an_opt_out_after_the_fan_out_and_before_the_claim_wins(offers, cloud):
    ada = make_user()
    delivery = delivery_for(ada, offers)
    opt_outs.opt_out(f"user:{ada.pk}", offers.pk, "email", OptOut.Source.MAIL)
    assert invoke("email", *bodies_for("email", [delivery.pk])) == []
    delivery.refresh_from_db()
    assert (delivery.status, delivery.reason, delivery.attempts) == ("skipped", "opted_out", 1)
    assert cloud.outbox() == []


def test_what_an_editor_sends_to_themselves_passes_every_gate():
    robin = make_user()
    OptOut.objects.create(recipient=f"user:{robin.pk}")
    Preferences.objects.create(user=robin, quiet_from=dt.time(0), quiet_until=dt.time(23, 59, 59))
    version = ContentVersion.objects.create(number=0, text="Hi {{ unsubscribe_url }}", paths={})
    delivery = deliveries.queue_test(
        robin, channel="email", address=robin.email, language="", version=version, data={}, about=""
    )
    works = deliveries.claim_deliveries([delivery.pk], channel="email", lease_seconds=900)
    assert ask_all(works, "email") == [None]
    ((_work, message),), _refused = composing.compose_messages(works, "email")
    assert message.unsubscribe_url == ""
    assert reader_links.SAMPLE in message.text


@pytest.mark.django_db(transaction=True)
def test_of_twenty_opt_outs_that_race_twenty_sends_none_that_was_claimed_afterwards_is_sent(cloud):
    offers = Category.objects.create(name="offers", title="Offers")
    rows = [delivery_for(make_user(), offers) for _ in range(20)]
    start, stored, claimed = threading.Barrier(2), {}, {}

    def leave():
        start.wait(PATIENCE_SECONDS)
        for row in rows:
            opt_outs.opt_out(row.recipient, offers.pk, "email", OptOut.Source.MAIL)
            # By now it is committed.
            stored[row.pk] = time.perf_counter()

    def send():
        start.wait(PATIENCE_SECONDS)
        for row in reversed(rows):
            if row is rows[0]:
                # The first to leave is the last to be sent to: it comes late in any case.
                wait_until(lambda: rows[0].pk in stored, "the first opt-out is stored")
            # Before the claim is asked for: it cannot have been given earlier.
            claimed[row.pk] = time.perf_counter()
            invoke("email", *bodies_for("email", [row.pk]))

    in_threads(leave, send)
    late = [row.pk for row in rows if claimed[row.pk] > stored[row.pk]]
    found = dict(Delivery.objects.values_list("pk", "status"))
    assert [found[pk] for pk in late] == ["skipped"] * len(late)
    assert rows[0].pk in late
    assert len(cloud.outbox()) == list(found.values()).count("sent")


# Quiet hours

NIGHT = (dt.time(22), dt.time(7))
HOURS = [
    # quiet hours, time zone, now (wall clock there, second time round), when it ends (UTC), or None
    (NIGHT, "Europe/Berlin", "2026-05-03 23:30", 0, "2026-05-04 05:00"),  # over midnight
    (NIGHT, "Europe/Berlin", "2026-05-03 03:30", 0, "2026-05-03 05:00"),
    (NIGHT, "Europe/Berlin", "2026-05-03 22:00", 0, "2026-05-04 05:00"),  # from, counted in
    (NIGHT, "Europe/Berlin", "2026-05-03 07:00", 0, None),  # until, counted out
    (NIGHT, "Europe/Berlin", "2026-05-03 12:00", 0, None),
    ((dt.time(13), dt.time(15)), "Europe/Berlin", "2026-05-03 14:00", 0, "2026-05-03 13:00"),  # within a day
    ((dt.time(13), dt.time(15)), "Europe/Berlin", "2026-05-03 16:00", 0, None),
    ((dt.time(22), dt.time(0)), "Europe/Berlin", "2026-05-03 23:00", 0, "2026-05-03 22:00"),  # until midnight
    ((dt.time(0), dt.time(7)), "Asia/Tokyo", "2026-05-03 06:59", 0, "2026-05-02 22:00"),  # another day in UTC
    (NIGHT, "Asia/Kathmandu", "2026-05-03 23:00", 0, "2026-05-04 01:15"),  # a quarter of an hour
    (NIGHT, "Pacific/Kiritimati", "2026-05-03 23:00", 0, "2026-05-03 17:00"),
    (NIGHT, "", "2026-05-03 23:00", 0, "2026-05-04 07:00"),  # none chosen: the site's
    (NIGHT, "Mars/Olympus", "2026-05-03 23:00", 0, "2026-05-04 07:00"),  # gone since
    # An hour is left out: 7:00 is summer time
    (NIGHT, "Europe/Berlin", "2026-03-28 23:00", 0, "2026-03-29 05:00"),
    # An hour comes twice: 7:00 is winter time
    (NIGHT, "Europe/Berlin", "2026-10-24 23:00", 0, "2026-10-25 06:00"),
    # 2:30 is left out: as much later
    ((dt.time(23), dt.time(2, 30)), "Europe/Berlin", "2026-03-28 23:30", 0, "2026-03-29 01:30"),
    # The first 2:30
    ((dt.time(23), dt.time(2, 30)), "Europe/Berlin", "2026-10-25 02:10", 0, "2026-10-25 00:30"),
    ((dt.time(23), dt.time(2, 30)), "Europe/Berlin", "2026-10-25 02:10", 1, "2026-10-25 01:30"),  # the second
    ((dt.time(23), dt.time(2, 30)), "Europe/Berlin", "2026-10-25 02:40", 0, None),  # after the first
    ((dt.time(1), dt.time(3)), "America/New_York", "2026-03-08 01:30", 0, "2026-03-08 07:00"),
    ((dt.time(8), dt.time(8)), "Europe/Berlin", "2026-05-03 08:00", 0, None),  # never
    ((None, None), "Europe/Berlin", "2026-05-03 08:00", 0, None),
    ((dt.time(8), None), "Europe/Berlin", "2026-05-03 09:00", 0, None),
]  # fmt: skip


@pytest.mark.parametrize(("hours", "zone", "wall", "fold", "end"), HOURS)
def test_quiet_hours_end_when_the_clock_on_the_wall_says_so(hours, zone, wall, fold, end):
    wish = Preferences(quiet_from=hours[0], quiet_until=hours[1], time_zone=zone)
    place = ZoneInfo(zone if zone.count("/") and zone != "Mars/Olympus" else "UTC")
    now = dt.datetime.fromisoformat(wall).replace(tzinfo=place, fold=fold)
    found = quiet_hours.quiet_until(wish, now.astimezone(dt.UTC))
    assert (found and f"{found.astimezone(dt.UTC):%Y-%m-%d %H:%M}") == end
    assert found is None or found > now


def always_quiet(user, **values):
    """From a minute past now until a minute before it, on whatever clock."""
    now = dt.datetime.now(dt.UTC)
    start, end = now - dt.timedelta(hours=2), now + dt.timedelta(hours=2)
    return Preferences.objects.create(
        user=user, quiet_from=start.time(), quiet_until=end.time(), time_zone="UTC", **values
    )


def test_in_quiet_hours_only_what_is_mandatory_and_what_disturbs_nobody_goes(
    offers, security, django_assert_num_queries
):
    ada, bo = make_user(), make_user()
    always_quiet(ada)
    rows = [
        delivery_for(ada, offers),
        delivery_for(ada, security),
        delivery_for(bo, offers),
        delivery_for(ada),
        make_delivery(),
    ]
    with django_assert_num_queries(1):
        answers = quiet_hours.refuse(rows, "email")
    assert [isinstance(answer, Later) for answer in answers] == [True, False, False, True, False]
    assert "in UTC" in answers[0].detail
    assert not disturbs("inbox")
    assert quiet_hours.refuse(rows, "inbox") == [None] * 5


@pytest.mark.django_db(transaction=True)
def test_what_comes_in_quiet_hours_waits_for_their_end_and_goes_out_then(cloud):
    ada = make_user()
    wish = always_quiet(ada)
    delivery = delivery_for(ada)
    invoke("email", *bodies_for("email", [delivery.pk]))
    delivery.refresh_from_db()
    assert (delivery.status, delivery.reason) == ("waiting", "quiet_hours")
    assert delivery.due_at.time() == wish.quiet_until
    assert cloud.outbox() == []
    wish.delete()
    Delivery.objects.update(status="queued")
    invoke("email", *bodies_for("email", [delivery.pk]))
    assert len(cloud.outbox()) == 1


# What somebody has chosen comes before what the settings find


def test_a_persons_own_language_and_time_zone_come_first(cloud):
    ada, bo = make_user(), make_user()
    Preferences.objects.create(user=ada, language="de", time_zone="Asia/Tokyo")
    event = make_event(recipients=[{"users": [ada.pk, bo.pk]}], audiences=[])
    fan_out(event.pk, lease_seconds=900)
    found = {row.recipient: (row.language, row.time_zone) for row in Delivery.objects.all()}
    assert found == {f"user:{ada.pk}": ("de", "Asia/Tokyo"), f"user:{bo.pk}": ("", "")}


# Links in messages

TEMPLATE = {
    "subject": "Sale",
    "html": "<style>a { color: red }</style><p>{{ title }}</p>"
    '<a href="{{ unsubscribe_url }}">Unsubscribe</a> '
    '{% if unsubscribe_url %}<a href="{{ preferences_url }}">Choose</a>{% endif %}',
}


def composed(category, people, settings, base="https://shop.example.com", parts=None):
    settings.NOTIFIER = settings.NOTIFIER | {"BASE_URL": base}
    event = make_event(contents={"email": parts or TEMPLATE}, category=category)
    rows = [make_delivery(event=event, recipient=f"user:{each.pk}", address=each.email) for each in people]
    works = deliveries.claim_deliveries([row.pk for row in rows], channel="email", lease_seconds=900)
    ready, refusals = composing.compose_messages(works, "email")
    assert refusals == []
    return [message for _work, message in ready]


def test_each_person_gets_their_own_links_however_much_of_the_template_is_shared(offers, settings):
    people = [make_user(first_name=name) for name in ("Ada", "Bo", "Chidi")]
    messages = composed(offers, people, settings)
    for person, message in zip(people, messages, strict=True):
        assert f"/unsubscribe/u.{person.pk}.{offers.pk}.email." in message.unsubscribe_url
        for part in message.html, message.text:
            assert message.unsubscribe_url in part
            assert f"/preferences/u.{person.pk}." in part
            assert part.count("/unsubscribe/") == part.count("/preferences/") == 1
        assert 'style="color: red' in message.html
    assert len({message.unsubscribe_url for message in messages}) == 3
    assert Client().post(messages[0].unsubscribe_url, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert OptOut.objects.get().recipient == f"user:{people[0].pk}"


def test_an_event_stores_no_persons_link():
    trigger = make_trigger(
        contents={"email": {"subject": "x", "text": "{{ unsubscribe_url }} {{ preferences_url }}"}}
    )
    (live,) = [each for each in loading.load_triggers() if each.pk == trigger.pk]
    assert not live.paths.keys() & set(reader_links.LINKS)


HEADERS = [
    # the site's address, the category, whether a mail program can offer its own button
    ("https://shop.example.com", "offers", True),
    ("https://shop.example.com/", None, True),
    ("http://localhost:8000", "offers", False),
    ("", "offers", False),
    ("https://shop.example.com", "security", False),
]


@pytest.mark.parametrize(("base", "category", "offered"), HEADERS)
def test_a_mail_has_the_two_headers_where_one_click_can_work(
    offers, security, settings, base, category, offered
):
    (message,) = composed(
        {"offers": offers, "security": security, None: None}[category], [make_user()], settings, base
    )
    found = email.unsubscribe_headers(message)
    assert bool(found) == offered
    if offered:
        assert list(found) == ["List-Unsubscribe", "List-Unsubscribe-Post"]
        assert found["List-Unsubscribe"].startswith("<https://shop.example.com/notifications/unsubscribe/u.")
        assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
