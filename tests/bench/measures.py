"""The measures of ``make bench`` on one database, by name; ``tests.bench.table`` shows them as ratios."""

import datetime as dt
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import islice

from django.template import Context as TemplateContext, Engine

from lambdas import _handler
from notifier.deliveries import Policy
from notifier.deliveries.worker import Channel
from notifier.models import Delivery
from notifier.queue.ring import rings_for
from tests.support.functions import invoke_handler
from tests.support.wire import MESSAGES_AT_ONCE

from . import letter, mails, rows, saves
from .rounds import best

RENDERED = 2000


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is measured: numbers of people, in growing order, and rounds of each; ``slow_seconds`` of a
    provider that is slow.
    """

    people: tuple[int, ...] = (1, 1_000, 10_000)
    rounds: tuple[int, ...] = (30, 5, 2)
    saves: int = 200
    save_rounds: int = 5
    slow_seconds: float = 5


def measure(wire, sizes, *, say=lambda text: None):
    """Name → Took, or another figure, of all that is measured on an empty database."""
    say("saves")
    found = saves.measure(wire, saves=sizes.saves, rounds=sizes.save_rounds)
    subscription = letter.make_rule("demo.flashsale")
    for people, rounds in zip(sizes.people, sizes.rounds, strict=True):
        say(f"from a save to {people:,} mails")
        found |= mails.measure(wire, subscription, people=people, rounds=rounds)
        if people == 1:
            found["statements"] = mails.count_statements(wire, subscription)
    say("the fan-out")
    found |= rows.measure(wire, subscription, people=sizes.people[-1], rounds=3)
    say("a function's deliveries")
    found |= measure_deliveries(sizes.people[-1] // 4, rounds=4)
    say("a provider that takes its time")
    found["slow"] = mails.measure_slow(seconds=sizes.slow_seconds, rounds=2)
    letter.finish_all()
    return found


def measure_deliveries(number, *, rounds):
    """A delivery of those that wait, by a call for each and by a call for fifty, without a transport, beside
    one rendering: name → Took.
    """
    template = Engine().from_string(letter.HTML)
    people = [
        {"first_name": f"First{n}", "last_name": f"Last{n}", "email": f"u{n}@example.com"}
        for n in range(RENDERED)
    ]

    def render():
        for person in people:
            template.render(TemplateContext({"instance": letter.INSTANCE, "user": person}))

    waiting = Delivery.objects.filter(status="queued").order_by("pk").values_list("pk", flat=True)
    ids = iter(list(waiting[: 2 * rounds * number]))
    before = Delivery.objects.filter(status="sent").count()
    actions = {"render": (render, len(people))} | {
        f"by {size}": (partial(deliver, noop_handler(batch_size=size), ids, number), number)
        for size in (1, 50)
    }
    took = best(actions, rounds=rounds)
    assert Delivery.objects.filter(status="sent").count() == before + 2 * rounds * number
    return took


def noop_handler(*, batch_size):
    """The handler of a mail channel that takes everything at once."""
    channel = Channel(
        name="email",
        send_batch=lambda messages, session: [f"noop-{message.delivery}" for message in messages],
        session=nullcontext,
        policy=Policy(at_most_once=False, horizon=dt.timedelta(hours=1)),
        batch_size=batch_size,
    )
    return _handler.make_channel_handler(channel)


def deliver(handler, ids, number):
    """Hand ``number`` deliveries to ``handler`` as an event source mapping does: ten messages of fifty an
    invocation.
    """
    bodies = (ring.body() for ring in rings_for("email", list(islice(ids, number))))
    while chunk := list(islice(bodies, MESSAGES_AT_ONCE)):
        assert invoke_handler(handler, "email", *chunk) == []
