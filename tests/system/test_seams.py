"""What one part of the way leaves to another: digests that come back, waiting past an expiry, trying again
where another channel had it.
"""

import datetime as dt

import pytest
from django.utils import timezone

from notifier import deliveries, explaining
from notifier.exceptions import Later, Rejected, TryAgain
from notifier.feedback.recording import record
from notifier.feedback.reports import Report
from notifier.gates import rates
from notifier.inbox.items import add_item, archive
from notifier.models import ContactPoint, Delivery, DevicePush, Event, Feedback, OptOut, Rate, Suppression
from notifier.operations import privacy, retention
from notifier.people import link_tokens, opt_outs
from tests.support.builders import make_delivery, make_device, make_event, make_user
from tests.support.flowing import another, by_channel, fan_out, flowing_event, let_flow, send, sweep

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rings_nowhere")]


def reachable_user():
    user = make_user()
    ContactPoint.objects.create(user=user, channel="sms", address="+447400123456", verified=True)
    return user


def first_of(*channels, **values):
    """A fanned-out event that goes on the first of these channels that succeeds."""
    event = flowing_event(channels=channels, users=[reachable_user()], order="first", **values)
    fan_out(event)
    return event


def one(channel):
    return Delivery.objects.get(channel=channel)


def statuses(channel):
    return list(Delivery.objects.filter(channel=channel).order_by("pk").values_list("status", flat=True))


def bounced(delivery, **values):
    """SES's word that the mail of a delivery has come back for good."""
    now = timezone.now()
    report = {
        "message_id": delivery.provider_id,
        "delivery_id": delivery.pk,
        "addresses": (delivery.address,),
    } | values
    return Report(
        channel="email", kind=Feedback.Kind.BOUNCED, key=f"bounce of {delivery.pk}", happened_at=now,
        sent_at=now, permanent=True, **report,
    )  # fmt: skip


# Digests


def digest_of_two(**values):
    event = first_of("email", "sms", digest_minutes=60, **values)
    fan_out(another(event))
    let_flow(minutes=61)
    return [pk for _, pk in sweep()]


def test_all_that_went_in_a_mail_that_came_back_go_on_the_next_channel():
    send(*digest_of_two())
    head = Delivery.objects.filter(channel="email").latest("pk")
    assert head.status == "sent"
    assert record(bounced(head))
    assert set(Delivery.objects.filter(channel="email").values_list("returned", flat=True)) == {"bounced"}
    assert statuses("sms") == ["queued", "queued"]
    # And as one message there, too.
    assert [message.text for message in send(*[pk for _, pk in sweep()], channel="sms")] == [
        "[first][next] next"
    ]


def test_a_bounce_that_is_quicker_than_the_answer_is_of_all_in_the_mail():
    deliveries.claim_deliveries(digest_of_two(), channel="email", lease_seconds=900)
    head = Delivery.objects.filter(channel="email").latest("pk")
    assert record(bounced(head, message_id="not on record yet"))
    assert statuses("sms") == ["queued", "queued"]


def test_what_came_back_wakes_nothing_of_another_mail():
    send(*digest_of_two())
    fan_out(another(Event.objects.first()))
    head = Delivery.objects.filter(channel="email", status="sent").latest("pk")
    record(bounced(head))
    assert statuses("sms") == ["queued", "queued", "standby"]


def test_of_a_digest_that_must_wait_only_what_expires_meanwhile_ends():
    event = flowing_event(digest_minutes=60)
    fan_out(event, another(event, expires_at=timezone.now() + dt.timedelta(minutes=70)))
    let_flow(minutes=61)
    send(*[pk for _, pk in sweep()], answer=TryAgain("busy", after_seconds=1800))
    assert statuses("email") == ["waiting", "skipped"]
    let_flow(minutes=31)
    assert [message.text for message in send(*[pk for _, pk in sweep()])] == ["[first] first"]


# Waiting


def test_what_would_wait_past_its_expiry_ends_at_once_and_the_next_channel_goes_while_it_is_of_use():
    event = flowing_event(channels=("sms", "inbox"), users=[reachable_user()], order="first")
    Event.objects.update(expires_at=timezone.now() + dt.timedelta(minutes=10))
    fan_out(event)
    night = Later("quiet_hours", "Until 07:00 in UTC.", due_at=timezone.now() + dt.timedelta(hours=8))
    send(one("sms"), channel="sms", answer=night)
    assert by_channel() == {"sms": "skipped expired", "inbox": "queued"}
    assert "Until 07:00" in one("sms").detail


def test_what_waits_and_is_in_time_waits():
    event = flowing_event()
    Event.objects.update(expires_at=timezone.now() + dt.timedelta(hours=9))
    fan_out(event)
    send(one("email"), answer=Later("quiet_hours", due_at=timezone.now() + dt.timedelta(hours=8)))
    assert by_channel() == {"email": "waiting quiet_hours"}


def test_what_was_put_away_in_the_inbox_is_not_mailed_as_unread():
    user = make_user()
    fan_out(flowing_event(channels=("inbox", "email"), users=[user], order="inbox_first"))
    item = add_item(user.pk, delivery=one("inbox").pk, title="first")
    Delivery.objects.filter(channel="inbox").update(status="sent", finished_at=timezone.now(), due_at=None)
    archive(user.pk, [item.pk])
    let_flow(minutes=61)
    assert send(*[pk for channel, pk in sweep() if channel == "email"]) == []
    assert by_channel()["email"] == "skipped read"


def test_however_many_stand_by_the_sweep_decides_about_them_together(django_assert_max_num_queries):
    event = flowing_event(channels=("email", "inbox"), users=[make_user() for _ in range(30)], order="first")
    fan_out(event)
    send(*Delivery.objects.filter(channel="email"))
    let_flow(days=2)
    with django_assert_max_num_queries(8):
        assert deliveries.take_due(100) == []
    assert set(statuses("inbox")) == {"skipped"}


# Again, by a person

RETRIES = [
    # what stands on the three channels, in their order; what then stands there once a person tries all of
    # them again
    (("failed", "sent", "standby"), ("failed", "sent", "standby")),  # somebody has it
    (("failed", "queued", "standby"), ("failed", "queued", "standby")),  # is about to
    (("unknown", "waiting", "standby"), ("unknown", "queued", "standby")),  # the one that waits anyway
    # One after the other, as the first time
    (("failed", "failed", "failed"), ("queued", "standby", "standby")),
    (("failed", "cancelled", "failed"), ("queued", "cancelled", "failed")),
    (("failed", "failed", "standby"), ("queued", "standby", "standby")),
    (("sent back", "failed", "failed"), ("sent", "queued", "standby")),
    (("sent back", "sent", "failed"), ("sent", "sent", "failed")),
]


@pytest.mark.parametrize(("before", "after"), RETRIES)
def test_trying_all_channels_again_sends_on_no_second_one(before, after):
    channels = ("sms", "inbox", "email")
    first_of(*channels)
    for channel, said in zip(channels, before, strict=True):
        status, *back = said.split()
        Delivery.objects.filter(channel=channel).update(
            status=status, returned="bounced" if back else "", finished_at=timezone.now()
        )
    rung = deliveries.retry(list(Delivery.objects.values_list("pk", flat=True)))
    assert tuple(one(channel).status for channel in channels) == after
    assert [channel for channel, _ in rung] == [
        channel
        for channel, was, status in zip(channels, before, after, strict=True)
        if status == "queued" != was
    ]


def test_what_was_taken_back_on_all_channels_and_is_sent_after_all_goes_on_one():
    first_of("sms", "email")
    deliveries.cancel([one("sms").pk])
    assert by_channel() == {"sms": "cancelled", "email": "cancelled"}
    assert deliveries.resend(list(Delivery.objects.values_list("pk", flat=True))) == [("sms", one("sms").pk)]
    assert by_channel() == {"sms": "queued", "email": "standby"}
    send(one("sms"), channel="sms", answer=Rejected("refused"))
    assert by_channel() == {"sms": "failed refused", "email": "queued"}


def test_one_channel_that_was_sent_can_be_sent_once_more_on_purpose():
    first_of("sms", "email")
    Delivery.objects.update(status="sent", finished_at=timezone.now())
    assert deliveries.resend([one("email").pk]) == [("email", one("email").pk)]


# One person's data


def test_erasing_somebody_leaves_what_others_are_still_to_be_told_until_they_were():
    ada, bob = make_user(username="ada"), make_user(username="bob")
    event = make_event(
        data={"title": "Ada has joined"}, status="done", due_at=None, action_object=f"auth.user:{ada.pk}"
    )
    waiting = make_delivery(event=event, recipient=f"user:{bob.pk}", address=bob.email, status="waiting")
    erased = privacy.erase_person(explaining.find_person("ada"))
    assert (erased.events, erased.waiting) == (0, 1)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.address) == ("waiting", bob.email)
    Delivery.objects.update(status="sent", finished_at=timezone.now())
    erased = privacy.erase_person(explaining.find_person("ada"))
    assert (erased.events, erased.waiting) == (1, 0)
    assert Event.objects.get().data == {}


def test_an_export_has_the_suppression_of_an_address_however_it_is_spelled_and_what_was_heard():
    ada = make_user(username="ada")
    ContactPoint.objects.create(user=ada, channel="sms", address="+44 7400 123456")
    mail = make_delivery(recipient=f"user:{ada.pk}", address="Ada@Exämple.com", status="sent")
    Feedback.objects.create(delivery=mail, kind="opened", happened_at=timezone.now(), key="1")
    for channel, address in (
        ("sms", "+447400123456"),
        ("email", "ada@xn--exmple-cua.com"),
        ("chat", "+447400123456"),
    ):
        Suppression.objects.create(channel=channel, address=address)
    found = privacy.export_person(explaining.find_person("ada"))
    assert sorted(each["channel"] for each in found["suppression"]) == ["email", "sms"]
    assert [each["kind"] for each in found["delivery"][0]["feedback"]] == ["opened"]


# What is kept for a while


def test_rooms_that_nobody_writes_to_are_forgotten_and_channels_are_not():
    now = timezone.now().timestamp()
    for name, taken, line in (
        ("email", 0, 0),
        ("chat:idle", now - 90_000, 0),
        ("chat:busy", now, 0),
        ("chat:line", 0, now),
    ):
        Rate.objects.create(name=name, taken_until=taken, line_until=line)
    assert rates.forget_idle() == 1
    assert set(Rate.objects.values_list("name", flat=True)) == {"email", "chat:busy", "chat:line"}


def test_which_device_had_a_push_is_forgotten_with_what_it_said_and_before_it_is_sent_once_more():
    old, again = (make_delivery(channel="push", status="sent", finished_at=timezone.now()) for _ in range(2))
    for delivery in (old, again):
        DevicePush.objects.create(delivery=delivery.pk, device=make_device(), provider_id="an id")
    retention.empty(old.event)
    assert list(DevicePush.objects.values_list("delivery", flat=True)) == [again.pk]
    deliveries.resend([again.pk])
    assert not DevicePush.objects.exists()


# Addresses without an account


def test_an_opt_out_of_an_address_holds_for_each_of_its_spellings_and_it_gets_one_mail():
    spelled = ("Press@Example.com", "press@example.com", " PRESS@example.COM")
    event = flowing_event(users=[], addresses="\n".join(f"email: {each}" for each in spelled))
    fan_out(event)
    delivery = Delivery.objects.get()
    assert (delivery.recipient, delivery.address) == ("address:press@example.com", "Press@Example.com")
    opt_outs.opt_out(delivery.recipient, None, "email", OptOut.Source.MAIL)
    fan_out(flowing_event(users=[], addresses=f"email: {spelled[1]}"))
    assert Delivery.objects.latest("pk").reason == "opted_out"


def test_a_link_of_a_mail_whose_address_was_removed_for_its_age_says_so_and_stops_nobody():
    delivery = make_delivery(status="sent", finished_at=timezone.now())
    retention.empty(delivery.event)
    with pytest.raises(link_tokens.GoneLink):
        link_tokens.find_bearer(link_tokens.DELIVERY, str(delivery.pk))


def test_who_opted_out_and_is_erased_stays_out():
    ada = make_user(username="ada")
    opt_outs.opt_out(f"user:{ada.pk}", None, "", OptOut.Source.LINK)
    privacy.erase_person(explaining.find_person("ada"))
    fan_out(flowing_event(users=[ada]))
    assert by_channel() == {"email": "skipped opted_out"}
