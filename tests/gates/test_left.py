"""Who leaves between the fan-out and the send gets nothing, and who moves gets it at the new address.

On every channel, and however long it has waited in between.
"""

import datetime as dt
import threading
import time

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from notifier import deliveries
from notifier.deliveries import holding
from notifier.exceptions import Later, OutcomeUnknown, Rejected, TryAgain
from notifier.gates import left
from notifier.models import ContactPoint, ContentVersion, Delivery, Device, Pause, Preferences
from notifier.people import addresses, whereabouts
from project.demo.models import Profile
from tests.support.builders import make_delivery, make_device, make_user
from tests.support.flowing import fan_out, flowing_event, let_flow, make_category, send, sweep
from tests.support.patience import PATIENCE_SECONDS, in_threads, wait_until
from tests.support.statements import statements

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rings_nowhere")]

OLD, NEW, WORK = "old@example.com", "new@example.com", "work@example.com"


def make_ada(**values):
    return make_user(**({"email": OLD} | values))


def change(user, **values):
    get_user_model().objects.filter(pk=user.pk).update(**values)


def point_to(user, address, channel="email", **values):
    ContactPoint.objects.update_or_create(user=user, channel=channel, defaults={"address": address} | values)


LEAVING = [
    # what happens meanwhile, the address that it goes to, or why to none
    (lambda user: None, OLD, ""),
    (lambda user: change(user, is_active=False), None, "inactive"),
    (lambda user: user.delete(), None, "user_deleted"),
    (lambda user: change(user, email=NEW), NEW, ""),
    (lambda user: change(user, email=f" {NEW} "), NEW, ""),
    (lambda user: change(user, email=""), None, "no_address"),
    (lambda user: point_to(user, WORK), WORK, ""),  # a contact point comes first
    (lambda user: point_to(user, WORK, verified=False), None, "unverified"),
    (lambda user: point_to(user, "  "), None, "no_address"),
    (lambda user: point_to(user, WORK, channel="sms"), OLD, ""),  # another channel's
    # back again before it is sent
    (lambda user: (change(user, is_active=False), change(user, is_active=True)), OLD, ""),
]


@pytest.mark.parametrize(("leave", "address", "reason"), LEAVING)
def test_it_goes_where_its_person_is_now_or_nowhere(leave, address, reason):
    ada, bo = make_ada(), make_user()
    fan_out(flowing_event(users=[ada, bo]))
    key = f"user:{ada.pk}"
    leave(ada)
    sent = {message.recipient: message.address for message in send(*Delivery.objects.all())}
    assert sent.pop(f"user:{bo.pk}") == bo.email
    assert sent == ({key: address} if address else {})
    found = Delivery.objects.get(recipient=key)
    # A report finds it by the address that it went to.
    expected = ("skipped", reason, OLD) if reason else ("sent", "", address)
    assert (found.status, found.reason, found.address) == expected


POINTS = [
    # what becomes of the contact point, the address, or why none
    (lambda point: point.delete(), OLD, ""),  # the user's own again
    (lambda point: point.update(verified=False), None, "unverified"),
    (lambda point: point.update(address=NEW), NEW, ""),
]


@pytest.mark.parametrize(("leave", "address", "reason"), POINTS)
def test_a_contact_point_counts_as_it_is_now(leave, address, reason):
    ada = make_ada()
    point_to(ada, WORK)
    fan_out(flowing_event(users=[ada]))
    leave(ContactPoint.objects.all())
    assert [message.address for message in send(Delivery.objects.get())] == ([address] if address else [])
    assert Delivery.objects.get().reason == reason


# Every channel that reaches people: how somebody is made who is reached there.
CHANNELS = {
    "email": make_ada,
    "sms": lambda: Profile.objects.create(user=make_ada(), phone="+44 7400 123401").user,
    "push": lambda: make_device(user=make_ada()).user,
    "inbox": make_ada,
    "twitter": lambda: with_point("twitter", "@ada"),
    "chat": lambda: with_point("chat", "telegram:42"),
    "webhook": lambda: with_point("webhook", "https://hooks.example.com/in"),
}


def with_point(channel, address):
    user = make_ada()
    point_to(user, address, channel=channel)
    return user


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    ("leave", "reason"),
    [
        (lambda user: None, ""),
        (lambda user: change(user, is_active=False), "inactive"),
        (lambda user: user.delete(), "user_deleted"),
    ],
)
def test_on_every_channel(channel, leave, reason):
    ada = CHANNELS[channel]()
    fan_out(flowing_event(users=[ada], channels=(channel,)))
    leave(ada)
    assert len(send(Delivery.objects.get(), channel=channel)) == (not reason)
    assert Delivery.objects.get().reason == reason


def test_a_device_that_was_switched_off_meanwhile():
    ada = CHANNELS["push"]()
    fan_out(flowing_event(users=[ada], channels=("push",)))
    Device.objects.update(enabled=False)
    assert send(Delivery.objects.get(), channel="push") == []
    assert Delivery.objects.get().reason == "no_device"


# However long it has waited, and for what


def after_a_digest(user):
    fan_out(flowing_event(users=[user], digest_minutes=60))


def after_quiet_hours(user):
    fan_out(flowing_event(users=[user]))
    now = dt.datetime.now(dt.UTC)
    around = (now - dt.timedelta(hours=2)).time(), (now + dt.timedelta(hours=2)).time()
    wish = Preferences.objects.create(user=user, quiet_from=around[0], quiet_until=around[1], time_zone="UTC")
    assert send(Delivery.objects.get()) == []
    wish.delete()


def after_a_pause(user):
    fan_out(flowing_event(users=[user]))
    pause = Pause.objects.create(scope="channel:email")
    assert send(Delivery.objects.get()) == []
    pause.delete()
    holding.release_deliveries()


def after_a_retry(user):
    fan_out(flowing_event(users=[user]))
    send(Delivery.objects.get(), answer=TryAgain("busy", after_seconds=60))


def after_no_answer(user):
    fan_out(flowing_event(users=[user]))
    send(Delivery.objects.get(), answer=OutcomeUnknown("timeout"))


def after_a_crash(user):
    fan_out(flowing_event(users=[user]))
    deliveries.claim_deliveries([Delivery.objects.get().pk], channel="email", lease_seconds=0)


def after_its_slot(user):
    fan_out(flowing_event(users=[user]))
    send(Delivery.objects.get(), answer=Later("rate", "", due_at=timezone.now()))


def on_the_next_channel(user):
    point_to(user, "+447400123401", channel="sms")
    fan_out(flowing_event(users=[user], channels=("sms", "email"), order="first"))
    send(Delivery.objects.get(channel="sms"), channel="sms", answer=Rejected("refused"))


def if_it_is_unread(user):
    fan_out(flowing_event(users=[user], channels=("inbox", "email"), order="inbox_first"))


def once_more(user):
    fan_out(flowing_event(users=[user]))
    send(Delivery.objects.get())
    # As the admin does it: the address is that of the moment when the button was pressed.
    [row] = Delivery.objects.values_list("pk", "channel", "recipient")
    deliveries.resend([row[0]], addresses=addresses.look_again([row])[0])


def tried_again_by_hand(user):
    fan_out(flowing_event(users=[user]))
    send(Delivery.objects.get(), answer=Rejected("refused"))
    deliveries.retry([Delivery.objects.get().pk])


def as_a_test(user):
    version = ContentVersion.objects.create(number=0, text="Hi", paths={})
    deliveries.queue_test(
        user, channel="email", address=user.email, language="", version=version, data={}, about=""
    )


WAITING = [
    after_a_digest,
    after_quiet_hours,
    after_a_pause,
    after_a_retry,
    after_no_answer,
    after_a_crash,
    after_its_slot,
    on_the_next_channel,
    if_it_is_unread,
    once_more,
    tried_again_by_hand,
    as_a_test,
]


@pytest.mark.parametrize("wait", WAITING)
@pytest.mark.parametrize(
    ("leave", "address", "reason"),
    [
        (lambda user: change(user, is_active=False), None, "inactive"),
        (lambda user: user.delete(), None, "user_deleted"),
        (lambda user: change(user, email=NEW), NEW, ""),
        (lambda user: point_to(user, WORK, verified=False), None, "unverified"),
    ],
)
def test_however_it_has_waited(wait, leave, address, reason):
    ada = make_ada()
    wait(ada)
    mail = Delivery.objects.get(channel="email")
    leave(ada)
    let_flow(days=2)
    sweep()
    assert [message.address for message in send(mail)] == ([address] if address else [])
    mail.refresh_from_db()
    assert (mail.status, mail.reason) == (("skipped", reason) if reason else ("sent", ""))


def test_who_has_left_is_tried_again_only_when_they_are_back():
    ada = make_ada()
    fan_out(flowing_event(users=[ada]))
    change(ada, is_active=False)
    send(Delivery.objects.get())
    [row] = Delivery.objects.values_list("pk", "channel", "recipient")
    assert deliveries.retry([row[0]], addresses=addresses.look_again([row])[0]) == []
    change(ada, is_active=True)
    assert deliveries.retry([row[0]], addresses=addresses.look_again([row])[0]) == [("email", row[0])]
    assert [message.address for message in send(row[0])] == [OLD]


def test_a_plain_address_stays_as_it_is_whoever_had_it():
    ada = make_ada()
    fan_out(flowing_event(users=[], addresses=f"email: {OLD}"))
    change(ada, is_active=False, email=NEW)
    assert [message.address for message in send(Delivery.objects.get())] == [OLD]


def test_an_audience_is_of_the_moment_of_the_fan_out():
    """Who leaves a group afterwards is still told: they were in it when it happened."""
    ada = make_ada()
    event = flowing_event(users=[ada])
    fan_out(event)
    event.trigger.subscriptions.get().audiences.get().users.clear()
    assert len(send(Delivery.objects.get())) == 1


def test_a_persons_time_zone_is_that_of_the_send():
    ada = make_ada()
    fan_out(flowing_event(users=[ada], category=make_category()))
    Preferences.objects.create(user=ada, time_zone="Asia/Tokyo")
    [work] = deliveries.claim_deliveries([Delivery.objects.get().pk], channel="email", lease_seconds=900)
    assert (work.time_zone, Delivery.objects.get().time_zone) == ("Asia/Tokyo", "Asia/Tokyo")


# What it costs


def test_it_costs_one_query_a_claim_which_asks_for_all_gates():
    people = [make_ada() for _ in range(20)]
    fan_out(flowing_event(users=people))
    first, *others = Delivery.objects.values_list("pk", flat=True)
    with statements() as few:
        deliveries.claim_deliveries([first], channel="email", lease_seconds=900)
    with statements() as many:
        works = deliveries.claim_deliveries(others, channel="email", lease_seconds=900)
    plain = make_delivery().pk
    with statements() as to_an_address:
        deliveries.claim_deliveries([plain], channel="email", lease_seconds=900)
    # The claim itself is one.
    assert (len(few), len(many), len(to_an_address)) == (2, 2, 2)
    with statements() as asked:
        assert left.refuse(works, "email") == [None] * 19
    assert len(asked) == 0


@pytest.mark.parametrize("recipient", ["user:", "user:x", "user:-1", "user:a:b", "address:user:5", ""])
def test_a_recipient_that_is_no_user_stops_nobody_else(recipient):
    ada = make_ada()
    fan_out(flowing_event(users=[ada]))
    odd = make_delivery(recipient=recipient)
    found = whereabouts.find_all(Delivery.objects.all(), "email")
    assert found.get(recipient, whereabouts.Whereabouts("", whereabouts.GONE, "")).reason == whereabouts.GONE
    assert OLD in [message.address for message in send(odd, *Delivery.objects.all())]


# Under load

MANY, CHUNK = 500, 25
WAYS = [
    lambda user: change(user, is_active=False),
    lambda user: user.delete(),
    lambda user: change(user, email=f"new.{user.pk}@example.com"),
    lambda user: point_to(user, WORK, verified=False),
]


def test_of_500_who_leave_while_they_are_sent_to_none_is_that_left_before_the_claim():
    people = [make_user() for _ in range(MANY)]
    fan_out(flowing_event(users=people))
    rows = {row.recipient: row for row in Delivery.objects.all()}
    start, gone, claimed, sent = threading.Barrier(2), {}, {}, {}
    keys = [f"user:{person.pk}" for person in people]

    def leave():
        start.wait(PATIENCE_SECONDS)
        for number, (person, key) in enumerate(zip(people, keys, strict=True)):
            WAYS[number % len(WAYS)](person)
            # By now it is committed.
            gone[key] = time.perf_counter()

    def deliver():
        start.wait(PATIENCE_SECONDS)
        for first in range(MANY - CHUNK, -1, -CHUNK):
            chunk = keys[first : first + CHUNK]
            if first == 0:
                # The first to leave are the last to be sent to: they come late in any case.
                wait_until(lambda: keys[CHUNK - 1] in gone, "the first have left")
            # Before the claim is asked for: it cannot have been given earlier.
            claimed.update(dict.fromkeys(chunk, time.perf_counter()))
            sent.update({each.recipient: each.address for each in send(*[rows[key].pk for key in chunk])})

    in_threads(leave, deliver)
    late = [key for key in keys if claimed[key] > gone[key]]
    moved = {f"user:{person.pk}": f"new.{person.pk}@example.com" for person in people[2::4]}
    assert set(keys[:CHUNK]) <= set(late)
    assert {key: sent.get(key) for key in late} == {key: moved.get(key) for key in late}
    # Each was sent once or skipped for its own reason; nothing is left.
    assert len(sent) == Delivery.objects.filter(status="sent").count()
    assert Delivery.objects.exclude(status__in=["sent", "skipped"]).count() == 0
