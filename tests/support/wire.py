"""An SNS that answers on the spot, in this process, and the queues behind it.

botocore's own work is done, up to the request that would leave: nothing listens, and no server's time is part
of what is measured.
"""

import json
import os
import re
from collections import Counter, deque
from importlib import import_module
from io import BytesIO
from urllib.parse import parse_qs

from botocore.awsrequest import AWSResponse
from botocore.handlers import BUILTIN_HANDLERS
from django.conf import settings
from django.test import override_settings

from notifier.local.invocation import event_of
from tests.support.functions import make_context

# What an event source mapping hands over at once, as `notifier.deploy.stack` sets it up.
MESSAGES_AT_ONCE = 10
TOPIC_ARN = "arn:aws:sns:us-east-1:123456789012:notifier"
# Nobody is asked there.
PLACE = {
    "AWS_ENDPOINT_URL": "http://aws.invalid", "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing",
}  # fmt: skip
ENTRY = re.compile(r"member\.\d+\.Id=(\w+)")
ANSWER = (
    '<{action}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><{action}Result>{result}'
    "</{action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>"
)
TAKEN = "<member><Id>{}</Id><MessageId>1</MessageId></member>"


class Wire:
    """A context manager inside which what this process publishes waits for ``take``, by route.

    A message is ``(group, body)``, with the MessageGroupId that SNS hands on, or a blank. ``requests`` and
    ``messages`` are what has come. ``refuses``: SNS is out of order, and answers 500; ``loses``: it takes
    what it never delivers. ``texts(number, text)`` takes an SMS; what it raises its caller gets. No other
    service is there.
    """

    _now = None

    def __init__(self, texts=None):
        self.refuses, self.loses, self.requests, self.messages = False, False, 0, 0
        self._texts = texts
        self._published, self._queues, self._under_way = deque(), {}, Counter()

    def __enter__(self):
        self._before = {name: os.environ.get(name) for name in PLACE}
        os.environ.update(PLACE)
        self._settings = override_settings(NOTIFIER=settings.NOTIFIER | {"TOPIC_ARN": TOPIC_ARN})
        self._settings.enable()
        Wire._now = self
        return self

    def __exit__(self, *exc_info):
        Wire._now = None
        self._settings.disable()
        for name, value in self._before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value

    def respond(self, request):
        is_form = isinstance(request.body, str)
        if is_form and self._texts and "honeNumber" in request.body:
            return self._text(request)
        self.requests += 1
        if self.refuses or not is_form:
            return AWSResponse(request.url, 500, {}, _Body(b""))
        if not self.loses:
            # Read when it is carried: what is published is measured without it.
            self._published.append(request.body)
        if entries := ENTRY.findall(request.body):
            taken = "".join(TAKEN.format(each) for each in entries)
            return _answer(request, "PublishBatch", f"<Successful>{taken}</Successful><Failed/>")
        return _answer(request, "Publish", "<MessageId>1</MessageId>")

    def _text(self, request):
        form = parse_qs(request.body)
        if "Message" not in form:
            return _answer(request, "CheckIfPhoneNumberIsOptedOut", "<isOptedOut>false</isOptedOut>")
        self._texts(form["PhoneNumber"][0], form["Message"][0])
        return _answer(request, "Publish", "<MessageId>1</MessageId>")

    @property
    def waiting(self):
        """How many messages wait, by route; only routes with some."""
        self._read()
        found = {route: sum(map(len, groups.values())) for route, groups in self._queues.items()}
        return {route: number for route, number in found.items() if number}

    def put(self, route, *messages):
        for group, body in messages:
            self._queues.setdefault(route, {}).setdefault(group, deque()).append((group, body))

    def take(self, route, number=MESSAGES_AT_ONCE):
        """Up to ``number`` messages, each from the group of which the fewest are under way: these queues are
        fair. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
        """
        self._read()
        groups, taken, under_way = self._queues.get(route, {}), [], self._under_way.copy()
        while len(taken) < number and (waiting := [group for group, queue in groups.items() if queue]):
            group = min(waiting, key=under_way.__getitem__)
            under_way[group] += 1
            taken.append(groups[group].popleft())
        return taken

    def invoke(self, route, messages, *, context=None):
        """Call the function behind ``route`` for them; returns the messages that must come again.

        All of them are in the queue again where it raises.
        """
        groups = [group for group, _body in messages]
        self._under_way.update(groups)
        try:
            answer = import_module(f"lambdas.{route}").handler(
                _event(route, messages), context or make_context()
            )
        except BaseException:
            self.put(route, *messages)
            raise
        finally:
            self._under_way.subtract(groups)
        return [messages[int(each["itemIdentifier"])] for each in answer["batchItemFailures"]]

    def carry(self, *routes):
        """Call the functions behind ``routes``, by default all, until no message waits. Raises AssertionError
        where one comes again.
        """
        while waiting := [route for route in self.waiting if not routes or route in routes]:
            for route in waiting:
                assert not self.invoke(route, self.take(route)), route

    def forget(self):
        self._published.clear()
        self._queues.clear()

    def _read(self):
        while self._published:
            form = parse_qs(self._published.popleft())
            for name, (body, *_) in form.items():
                if name.endswith("Message"):
                    self.messages += 1
                    group = form.get(f"{name.removesuffix('Message')}MessageGroupId", [""])[0]
                    self.put(json.loads(body)["route"], (group, body))


def _answer(request, action, result):
    body = ANSWER.format(action=action, result=result).encode()
    return AWSResponse(request.url, 200, {"content-type": "text/xml"}, _Body(body))


class _Body(BytesIO):
    def stream(self, **_options):
        yield self.read()


def _event(route, messages):
    received = [
        {"MessageId": str(position), "ReceiptHandle": "handle", "Body": body, "MD5OfBody": ""}
        for position, (_group, body) in enumerate(messages)
    ]
    return event_of(received, f"{TOPIC_ARN}-{route}")


def _respond(request, **_more):
    return Wire._now.respond(request) if Wire._now and ".invalid" in request.url else None


# As moto does it: each session that is made from now on asks here first, and outside of a Wire goes on.
BUILTIN_HANDLERS.append(("before-send", _respond))
