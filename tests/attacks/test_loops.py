"""Rules that fire one another, by a project's own code: each such chain of events ends, and says why."""

import datetime as dt

import pytest
from django.db import transaction
from django.utils import timezone

from notifier import deliveries
from notifier.channels.recipient import Recipient
from notifier.deliveries import fanout
from notifier.deliveries.clock import Clock
from notifier.deliveries.worker import Channel
from notifier.events.causes import MOST_IN_A_CHAIN, MOST_REPEATS
from notifier.events.emit import emit
from notifier.explaining.recorded import look_at_cause
from notifier.feedback import Report, recording
from notifier.hooks import event_recorded, feedback_received, notification_failed, notification_sent
from notifier.models import Delivery, Event
from notifier.queue import publisher
from notifier.rules import audiences, providers
from project.demo.models import Movie, Post
from tests.support.builders import make_audience, make_delivery, make_event, make_trigger, make_user
from tests.support.flowing import CONTENT, POLICY, another

pytestmark = pytest.mark.django_db(transaction=True)

# A chain of one rule that nothing ends would go on for ever: so often it is played.
ROUNDS = 40
HOUR = dt.timedelta(hours=1)


def save_a_post(**_arguments):
    Post.objects.create(title="again", body="")


def answer_well(messages, _session):
    return ["taken"] * len(messages)


def play(send=answer_well, *, rounds=ROUNDS, size=1, order="pk"):
    """Fan out, in ``order``, and deliver until nothing is left; returns how many rounds that took."""
    channel = Channel(name="email", send_batch=send, policy=POLICY, batch_size=size)
    with publisher.diverted():
        for number in range(rounds):
            events = list(Event.objects.filter(status="recorded").order_by(order))
            for event in events:
                fanout.fan_out(event.pk, lease_seconds=900)
            ids = list(Delivery.objects.filter(status="queued").order_by("pk").values_list("pk", flat=True))
            if not events and not ids:
                return number
            with Clock.lasting(900) as clock:
                channel.deliver(ids, clock)
    return rounds


def rule(name="Rule A", *, model="demo.post", users=1, **values):
    people = [make_user() for _ in range(users)]
    return make_trigger(name=name, model=model, audiences=[make_audience(users=people)], **values)


def statuses():
    return list(Event.objects.order_by("pk").values_list("status", flat=True))


@pytest.fixture
def listen():
    """``listen(signal, receiver)`` for the test's time."""
    heard = []

    def connect(signal, receiver):
        signal.connect(receiver, weak=False)
        heard.append((signal, receiver))

    yield connect
    for signal, receiver in heard:
        signal.disconnect(receiver)


# Each is given ``listen`` and the registries' patch, and returns the channel's send.


def by_a_receiver_of_what_was_sent(listen, _patch):
    listen(notification_sent, save_a_post)
    return answer_well


def by_a_receiver_of_what_has_failed(listen, _patch):
    from notifier.exceptions import Rejected

    listen(notification_failed, save_a_post)
    return lambda messages, _session: [Rejected("refused")] * len(messages)


def by_a_channel_of_its_own(_listen, _patch):
    def send(messages, _session):
        save_a_post()
        return answer_well(messages, _session)

    return send


def by_a_channel_in_a_transaction(_listen, _patch):
    def send(messages, _session):
        with transaction.atomic():
            transaction.on_commit(save_a_post)
        return answer_well(messages, _session)

    return send


def by_emit_within_a_delivery(_listen, _patch):
    def send(messages, _session):
        emit("post_save", instance=Post.objects.latest("pk"), created=True)
        return answer_well(messages, _session)

    return send


WAYS = [
    by_a_receiver_of_what_was_sent,
    by_a_receiver_of_what_has_failed,
    by_a_channel_of_its_own,
    by_a_channel_in_a_transaction,
    by_emit_within_a_delivery,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_rule_that_fires_itself_ends_and_says_why(listen, monkeypatch, way):
    trigger = rule()
    send = way(listen, monkeypatch)
    Post.objects.create(title="first", body="")
    assert play(send) < ROUNDS
    assert statuses() == ["done"] * MOST_IN_A_CHAIN + ["failed"]
    last = Event.objects.latest("pk")
    assert last.reason.startswith(
        f"Rule A → Rule A …: a chain of {MOST_IN_A_CHAIN} events that fire one another. "
    )
    first = Event.objects.earliest("pk")
    assert (first.causes, last.causes[0], len(last.causes)) == (None, [first.pk, trigger.pk], MOST_IN_A_CHAIN)


def test_an_audience_that_saves_what_fires_its_rule_ends(monkeypatch):
    def audience(event):
        save_a_post()
        return []

    monkeypatch.setitem(audiences._callables, "saving", audience)
    make_trigger(name="Rule A", model="demo.post", audiences=[make_audience(callables=["saving"])])
    Post.objects.create(title="first", body="")
    assert play() < ROUNDS
    assert statuses() == ["done"] * MOST_IN_A_CHAIN + ["failed"]


def test_a_provider_that_saves_while_a_message_is_made_ends(monkeypatch):
    def provide(context, user):
        save_a_post()
        return {"dose": ""}

    monkeypatch.setattr(providers, "_registry", dict(providers._registry))
    providers.register_provider("dose", provide, provides=["dose"])
    rule(contents={"email": {"subject": "A post", "text": "A post{{ dose }}"}})
    Post.objects.create(title="first", body="")
    assert play() < ROUNDS
    assert statuses() == ["done"] * MOST_IN_A_CHAIN + ["failed"]


def test_what_a_receiver_of_a_crash_saves_belongs_to_the_chain(listen):
    trigger = rule()
    listen(notification_failed, save_a_post)
    event = make_event(status="done", due_at=None)
    make_delivery(event=event, status="sending", due_at=timezone.now() - HOUR)
    deliveries.take_due(10)
    assert Delivery.objects.get().reason == "crashed"
    saved = Event.objects.get(trigger=trigger)
    assert saved.causes == [[event.pk, event.trigger_id]]


def test_what_a_receiver_of_a_report_saves_belongs_to_the_chain(listen):
    trigger, now = rule(), timezone.now()
    listen(feedback_received, save_a_post)
    event = make_event(status="done", due_at=None)
    make_delivery(event=event, status="sent", due_at=None, finished_at=now, provider_id="m1")
    said = {"channel": "email", "kind": "delivered", "key": "k", "message_id": "m1"}
    assert recording.record(Report(**said, happened_at=now, sent_at=now))
    assert Event.objects.get(trigger=trigger).causes == [[event.pk, event.trigger_id]]


def test_what_asking_a_provider_saves_belongs_to_the_chain(settings, monkeypatch):
    settings.NOTIFIER = settings.NOTIFIER | {"CHANNELS_PACKAGE": "tests.support.deadly_channels"}

    def save(_text, place):
        if place == "asking":
            save_a_post()

    monkeypatch.setattr("tests.support.deadly_channels.email.die_of", save)
    trigger, event = rule(), make_event(status="done", due_at=None)
    asked = make_delivery(event=event, reason="unsettled")
    with Clock.lasting(900) as clock:
        Channel(name="email", send_batch=answer_well, policy=POLICY).deliver([asked.pk], clock)
    assert Event.objects.get(trigger=trigger).causes == [[event.pk, event.trigger_id]]


@pytest.mark.parametrize("longest", [0, 1], ids=["oldest", "newest"])
@pytest.mark.parametrize("where", ["made", "sent"])
def test_a_digest_belongs_to_the_longest_chain_in_it(monkeypatch, longest, where):
    save = save_a_post if where == "made" else dict
    monkeypatch.setattr(providers, "_registry", dict(providers._registry))
    providers.register_provider("dose", lambda context, user: save() or {"dose": ""}, provides=["dose"])
    contents = {"email": CONTENT | {"text": "{{ title }}{{ dose }}"}}
    first = make_event(contents=contents, status="done", due_at=None)
    events, user, trigger = [first, another(first, status="done")], make_user(), rule()
    Event.objects.filter(pk=events[longest].pk).update(causes=[[1, 1], [2, 2]])
    recipient = str(Recipient.of_user(user.pk))
    made = [
        make_delivery(event=each, recipient=recipient, address=user.email, digest=True) for each in events
    ]
    Delivery.objects.update(subscription=made[0].subscription_id)
    by_a_call = by_a_channel_of_its_own(None, None) if where == "sent" else answer_well
    with Clock.lasting(900) as clock:
        Channel(name="email", send_batch=by_a_call, policy=POLICY).deliver([made[1].pk], clock)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}
    saved = Event.objects.get(trigger=trigger)
    assert saved.causes == [[1, 1], [2, 2], [events[longest].pk, first.trigger_id]]


def test_what_a_receiver_of_the_recording_saves_belongs_to_the_chain(listen):
    trigger = rule()
    listen(event_recorded, save_a_post)
    Post.objects.create(title="first", body="")
    first, second = Event.objects.order_by("pk")
    assert (first.causes, second.causes) == (None, [[first.pk, trigger.pk]])


def test_two_rules_that_fire_each_other_end_and_are_both_named(listen):
    def answer(event_id, **_arguments):
        is_post = Event.objects.get(pk=event_id).action_object.startswith("demo.post")
        Movie.objects.create(title="again") if is_post else save_a_post()

    rule("Rule A")
    rule("Rule B", model="demo.movie")
    listen(notification_sent, answer)
    Post.objects.create(title="first", body="")
    assert play() < ROUNDS
    assert Event.objects.latest("pk").reason.startswith(
        f"Rule A → Rule B → Rule A …: a chain of {MOST_IN_A_CHAIN}"
    )
    assert Event.objects.filter(status="done").count() == MOST_IN_A_CHAIN


@pytest.mark.parametrize("size", [1, 100], ids=["a call for each", "a call for all"])
@pytest.mark.parametrize(("users", "saves"), [(1, 2), (3, 1), (2, 3)])
def test_a_loop_that_grows_wide_is_bounded_as_well(listen, users, saves, size):
    def answer(**_arguments):
        for _ in range(saves):
            save_a_post()

    rule(users=users)
    listen(notification_sent, answer)
    Post.objects.create(title="first", body="")
    assert play(size=size) < ROUNDS
    done = Event.objects.filter(status="done").count()
    assert done == 1 + MOST_REPEATS
    # Each of them can fail for what it would have caused, and these cause nothing.
    assert Event.objects.filter(status="failed").count() <= (1 + done) * users * saves
    wide = Event.objects.filter(status="failed").earliest("pk")
    assert "a rule that causes itself" in wide.reason or "a chain of" in wide.reason


def test_what_an_event_causes_of_other_rules_is_not_bounded(listen):
    """Each of many people's answers is a row of its own, on which another rule waits."""
    rule(users=30)
    rule("Rule B", model="demo.movie")
    Post.objects.create(title="first", body="")
    keys = set(Event.objects.values_list("pk", flat=True))

    def answer(event_id, **_arguments):
        if event_id in keys:
            Movie.objects.create(title="an answer")

    listen(notification_sent, answer)
    play()
    assert statuses() == ["done"] * 31


@pytest.mark.parametrize("order", ["pk", "-pk"], ids=["the longest first", "the longest last"])
def test_what_a_batch_causes_belongs_to_its_longest_chain(order):
    rule(users=1)
    Post.objects.create(title="first", body="")

    def send(messages, _session):
        # Each call also gets one that nothing has caused.
        save_a_post()
        return answer_well(messages, _session)

    for length in range(1, 4):
        play(send, rounds=1, size=100, order=order)
        assert len(Event.objects.latest("pk").causes) == length
        Post.objects.create(title="outside", body="")
    play(send, size=100, order=order)
    longest = max(len(causes or ()) for causes in Event.objects.values_list("causes", flat=True))
    assert longest == MOST_IN_A_CHAIN


def test_a_persons_own_saves_are_nobodys_consequence(listen):
    rule()
    for number in range(MOST_IN_A_CHAIN + 3):
        Post.objects.create(title=f"post {number}", body="")
    play()
    assert set(Event.objects.values_list("status", "causes")) == {("done", None)}


def test_why_says_what_has_caused_an_event(listen):
    rule()
    listen(notification_sent, save_a_post)
    Post.objects.create(title="first", body="")
    play(rounds=2)
    first, second = Event.objects.order_by("pk")[:2]

    class Case:
        event = second

    seen = look_at_cause(Case)
    assert seen.text == f"sending another event has caused it: event {first.pk} (“Rule A”)."
