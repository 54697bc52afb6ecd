"""A shop that notifies its people, in which everything can go wrong, and a ledger of what providers took.

Functions are the real ones, one at a time, in this process; time passes at once. Stand-ins are Django's mail
backend, what SNS would answer, and the clocks. See ``tests/system/test_histories.py``.
"""

import json
from collections import Counter, deque
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import pytest
from anymail.exceptions import AnymailAPIError
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from django.core.mail.backends.base import BaseEmailBackend
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.models import Min
from django.test import override_settings
from django.utils import timezone

from lambdas import email, sms
from lambdas._handler import make_handler
from notifier.deliveries.sweep import sweep as ring_again
from notifier.gates import pauses
from notifier.models import Attempt, Delivery, Event, Feedback, Lane, OptOut, Pause, Rate, Suppression
from notifier.people import opt_outs, suppression
from project.demo.models import FlashSale, Movie, Post, Profile
from tests.feedback.events import about, bounce, complaint
from tests.support.builders import make_address, make_subscription, make_trigger, make_user
from tests.support.functions import invoke, sweep
from tests.support.mailing import mail_by
from tests.support.virtual_time import VirtualContext
from tests.support.wire import Wire

FUNCTION_SECONDS = 60
# Two of such calls, and a function's time is up.
SLOW_SECONDS = 20
PEOPLE = 5
MAIL = {"email": {"subject": "{{ instance.title }}", "text": "{{ instance.title }}"}}
SMS = {"sms": {"text": "{{ instance.title }}"}}
MODELS = {Lane.URGENT: Post, Lane.NORMAL: Movie, Lane.BULK: FlashSale}
# Made in a history.
ROWS = (Attempt, Feedback, Delivery, Event, OptOut, Suppression, Pause, Rate, Post, Movie, FlashSale)
# The channels' functions with one call at a time: of calls at once, nobody could say how long each took in a
# time that passes when somebody waits. Those are in `tests/system/test_crash.py` and
# `tests/deliveries/test_calls.py`.
IN_TURN = {
    email: make_handler(
        email.send, session=email.open_connection, at_most_once=False, horizon_hours=24, rate=email.read_rate
    ),
    sms: make_handler(
        sms.send,
        session=sms.open_session,
        at_most_once=True,
        horizon_hours=sms.HORIZON_HOURS,
        rate=lambda: sms._driver().RATE,
    ),
}
# What a crash can take with it: the call in flight, and the answers that are not stored yet.
MOST_UNSTORED = 10
IN_FLIGHT = 1
OPEN_EVENTS = ("recorded", "fanning_out", "held")
ENDED = ("sent", "skipped", "failed", "unknown", "cancelled")
HELD = ("claimed", "sending")
# Rounds of the sweep and all functions after which what has not ended never will; the longest wait is a day,
# and between two rounds all wait for what comes next.
MOST_ROUNDS = 200


class Killed(BaseException):
    """The end of a function's process: nobody catches it, and nothing more is stored."""


class Taken(NamedTuple):
    """One message that a provider took."""

    channel: str
    title: str
    address: str


class MailProvider(BaseEmailBackend):
    """The mail's outermost edge, as Anymail's backend behaves."""

    world = None

    def send_messages(self, messages):
        for mail in messages:
            try:
                self.world.asked(Taken("email", mail.subject, mail.to[0]))
            except (ClientError, ConnectTimeoutError, ReadTimeoutError) as error:
                raise AnymailAPIError("refused") from error
        return len(messages)


class Shop:
    """The people, and a rule for each lane: to all of them, by mail, and the urgent one by SMS as well."""

    def __init__(self):
        self.people = [make_user(email=make_address(channel="email")) for _ in range(PEOPLE)]
        for user in self.people:
            Profile.objects.create(user=user, phone=make_address(channel="sms"))
        self.triggers = {
            lane: make_trigger(model=model._meta.label_lower, contents=MAIL, lane=lane)
            for lane, model in MODELS.items()
        }
        make_subscription(self.triggers[Lane.URGENT], contents=SMS, channels=["sms"])

    def empty(self):
        for model in ROWS:
            model.objects.all().delete()


class World:
    """What was saved, said and taken in a Shop. A context manager.

    ``doubles``: how often more than once a message may have gone; ``left_open``: those that may be left for a
    person; ``stopped``: address → how many messages were taken when its person had enough.
    """

    def __init__(self, shop, time):
        self.shop, self.time, self.wire = shop, time, Wire(self._asked_by_sms)
        self.saved, self.rolled_back, self.taken = [], [], []
        self.paused, self.stopped = set(), {}
        self.doubles, self.left_open = Counter(), set()
        # What was wrong in a provider's call, in which the product would catch what is raised.
        self.wrong = []
        self._answers, self._messages = deque(), None
        self._dead, self._countdown = False, None

    def __enter__(self):
        self.shop.empty()
        MailProvider.world = self
        backend = f"{MailProvider.__module__}.{MailProvider.__qualname__}"
        self._open = ExitStack()
        self._open.enter_context(override_settings(**mail_by(backend)))
        self._open.enter_context(self.wire)
        patch = self._open.enter_context(pytest.MonkeyPatch.context())
        for channel, handler in IN_TURN.items():
            patch.setattr(channel, "handler", handler)
        return self

    def __exit__(self, *exc_info):
        self._open.close()

    # What happens

    def save(self, lane, *, rolls_back=False, ring="rung"):
        """Save what the lane's rule tells of. ``ring``: "rung", "lost" or "refused"."""
        title = f"{lane.label} {len(self.saved) + len(self.rolled_back)}"
        more = {"ends_at": self.time.moment(), "discount_percent": 5} if lane == Lane.BULK else {}
        self.wire.loses, self.wire.refuses = ring == "lost", ring == "refused"
        with transaction.atomic():
            MODELS[lane].objects.create(title=title, **more)
            transaction.set_rollback(rolls_back)
        self.wire.loses = self.wire.refuses = False
        (self.rolled_back if rolls_back else self.saved).append((lane, title))

    def opt_out(self, person):
        user = self.shop.people[person]
        opt_outs.opt_out(f"user:{user.pk}", None, "", "page")
        self.stopped.setdefault(user.email, len(self.taken))
        self.stopped.setdefault(user.profile.phone, len(self.taken))

    def suppress(self, person):
        address = self.shop.people[person].email
        suppression.suppress("email", address, "by_hand")
        self.stopped.setdefault(address, len(self.taken))

    def come_back(self, person, what):
        """SES reports a bounce or a complaint of the last mail that somebody got, if any."""
        address = self.shop.people[person].email
        row = Delivery.objects.filter(channel="email", status="sent", address=address).last()
        if row is None:
            return
        said = bounce("Permanent", "General") if what == "bounce" else complaint("abuse")
        assert invoke("feedback", json.dumps(about(said, row, message_id=f"{row.pk}"))) == []
        assert suppression.find("email", address)
        self.stopped.setdefault(address, len(self.taken))

    def pause(self, scope):
        """``scope``: "everything", a channel's name or a Lane."""
        named = {"trigger": self.shop.triggers[scope].pk} if isinstance(scope, Lane) else {"channel": scope}
        pauses.pause(pauses.EVERYTHING if scope == "everything" else pauses.scope_of(**named))
        self.paused.add(scope)

    def resume(self):
        for pause in Pause.objects.all():
            pauses.resume(pause.pk)
        self.paused.clear()

    def run(self, which, *, answers=(), dies_at=None):
        """Run the function of a route, or of the so-manieth at which something waits, for what does.

        ``answers`` are the provider's; ``dies_at`` is the statement at which it is killed, ``(number, whether
        it is done)``.
        """
        routes = sorted(self.wire.waiting)
        route = routes[which % len(routes)] if routes and isinstance(which, int) else which
        if messages := self.wire.take(route):
            self._messages = route, messages
            with self._mortal(answers, dies_at):
                self.wire.put(route, *self._invoke())
            self._messages = None

    def sweep(self, *, dies_at=None):
        with self._mortal((), dies_at):
            sweep()

    def repeat(self, route):
        """The queue brings each message twice."""
        messages = self._take_all(route)
        self.wire.put(route, *messages, *messages)

    def lose(self, route):
        self._take_all(route)

    def reverse(self, route):
        self.wire.put(route, *reversed(self._take_all(route)))

    def _take_all(self, route):
        return self.wire.take(route, self.wire.waiting.get(route, 0))

    def wait(self, minutes):
        self.time.sleep(60 * minutes)

    def end(self):
        """Nothing goes wrong any more: let all functions work until nothing is open, or nothing helps."""
        self.resume()
        for _ in range(MOST_ROUNDS):
            for route in list(self.wire.waiting):
                self.run(route)
            ring_again()
            if not self.wire.waiting:
                if not (due := _next_due()):
                    return
                self.time.sleep(due.timestamp() - self.time.now)
            self.time.sleep(1)

    # What providers do

    def asked(self, message):
        """A provider is called: what it does is the next of the answers."""
        if self._dead:
            raise Killed
        if self._is_paused(message):
            self.wrong.append(f"{message} was sent while it was paused")
        does, is_taken = ANSWERS[self._answers.popleft() if self._answers else "takes it"]
        if is_taken:
            self.taken.append(message)
        does(self, message)

    def _asked_by_sms(self, number, text):
        self.asked(Taken("sms", text, number))

    def die(self, _message=None):
        self._dead = True
        raise Killed

    def hang(self, _message):
        # Lambda ends a function that takes longer.
        self.time.sleep(FUNCTION_SECONDS)
        self.die()

    def say_nothing(self, message):
        """Nobody knows whether it was taken."""
        self.left_open.add(message)
        raise ReadTimeoutError(endpoint_url="the provider")

    def take_and_say_nothing(self, message):
        self.doubles[message] += 1
        self.say_nothing(message)

    def work_meanwhile(self, _message):
        """Another function gets the same messages at this moment."""
        answers, self._answers = self._answers, deque()
        self._invoke()
        self._answers = answers

    def _invoke(self):
        route, messages = self._messages
        return self.wire.invoke(
            route, messages, context=VirtualContext.beginning(self.time, seconds=FUNCTION_SECONDS)
        )

    def _is_paused(self, message):
        lane = next((lane for lane, title in self.saved if title == message.title), None)
        return bool(self.paused & {"everything", message.channel, lane})

    def rows(self):
        """The Delivery of each message that is to be sent, as a provider sees it."""
        people = {f"user:{each.pk}": each for each in self.shop.people}
        found = {}
        for row in Delivery.objects.select_related("event"):
            user, title = people[row.recipient], str(row.event.data["instance"]["title"])
            address = user.email if row.channel == "email" else user.profile.phone
            found[Taken(row.channel, title, address)] = row
        return found

    # How functions die

    @contextmanager
    def _mortal(self, answers, dies_at):
        held, since = _held(), len(self.taken)
        self._answers, self._countdown, self._dead = deque(answers), dies_at, False
        try:
            with connection.execute_wrapper(self._execute):
                yield
        except Killed:
            _bury_connection()
            self._note_open(self.taken[since:])
        else:
            assert not self._dead, "a function outlived its end"
            assert _held() <= held, f"a function that ended well still holds {_held() - held}"
        finally:
            self._answers, self._countdown, self._dead = deque(), None, False

    def _execute(self, execute, sql, params, many, context):
        """Each statement of a function that can die: the process ends before it, or when it is done."""
        if self._dead:
            raise Killed
        number, is_done = self._countdown or (-1, False)
        self._countdown = (number - 1, is_done)
        if number == 0 and not is_done:
            self.die()
        result = execute(sql, params, many, context)
        if number == 0:
            self.die()
        return result

    def _note_open(self, taken):
        """A function was killed: what it had handed over, and is not stored, may come once more."""
        rows = self.rows()
        unstored = [message for message in taken if rows[message].status != "sent"]
        calling = [message for message, row in rows.items() if row.status == "sending"]
        assert max(len(unstored), len(calling)) <= IN_FLIGHT + MOST_UNSTORED
        self.doubles.update(unstored)
        self.left_open.update(calling)


def unfinished():
    """What has not ended, for people to read."""
    events, rows = Event.objects.filter(status__in=OPEN_EVENTS), Delivery.objects.exclude(status__in=ENDED)
    return [*(f"{each!r} {each.status}" for each in events), *(f"{each!r} {each.status}" for each in rows)]


def _next_due():
    """When the next of what has not ended is due; None where all has."""
    events, rows = Event.objects.filter(status__in=OPEN_EVENTS), Delivery.objects.exclude(status__in=ENDED)
    if not events.exists() and not rows.exists():
        return None
    due = [found.aggregate(due=Min("due_at"))["due"] for found in (events, rows)]
    return min(filter(None, due), default=timezone.now())


def _held():
    rows = Delivery.objects.filter(status__in=HELD).values_list("pk", flat=True)
    events = Event.objects.filter(status="fanning_out").values_list("pk", flat=True)
    return {*(("delivery", pk) for pk in rows), *(("event", pk) for pk in events)}


def _bury_connection():
    """What a dead process has not committed is gone, and its connection with it."""
    connections[DEFAULT_DB_ALIAS].connection.close()
    del connections[DEFAULT_DB_ALIAS]


def _refuse(mail_code):
    def refuse(world, message):
        code = mail_code if message.channel == "email" else SMS_CODES[mail_code]
        answer = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        raise ClientError(answer, "Send")

    return refuse


def _not_reach(world, message):
    raise ConnectTimeoutError(endpoint_url="the provider")


# What SNS calls what SES calls so.
SMS_CODES = {"TooManyRequestsException": "Throttled", "MessageRejected": "InvalidParameter"}
# What a provider does, in a word → ``(how, whether it takes the message)``.
ANSWERS = {
    "takes it": (lambda world, message: None, True),
    "takes it slowly": (lambda world, message: world.time.sleep(SLOW_SECONDS), True),
    "takes it, and another function gets the same": (World.work_meanwhile, True),
    "takes it, and the function is killed": (World.die, True),
    "the function is killed": (World.die, False),
    "takes it and hangs": (World.hang, True),
    "hangs": (World.hang, False),
    "takes it and says nothing": (World.take_and_say_nothing, True),
    "says nothing": (World.say_nothing, False),
    "throttles": (_refuse("TooManyRequestsException"), False),
    "rejects it": (_refuse("MessageRejected"), False),
    "cannot be reached": (_not_reach, False),
}
