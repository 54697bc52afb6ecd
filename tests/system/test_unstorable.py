"""Each way by which code, commands, files and providers bring text to a row, with NUL and with half a pair of
surrogates: it ends in a clean text, in a refusal with words, or in a failed event of its own.

Nothing of it is in a line of the log: see ``tests.support.marks``. What people type into pages is in
``test_unstorable_pages``.
"""

import datetime as dt
import json
from contextlib import nullcontext
from functools import partial
from io import StringIO

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.db import transaction
from django.dispatch import Signal

import notifier
from lambdas._handler import clock_of
from notifier import deliveries, rulefiles
from notifier.channels import registry
from notifier.deliveries.worker import Channel
from notifier.events.emit import emit, emit_bulk
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.feedback import ses, sms, twilio
from notifier.feedback.recording import record
from notifier.models import Delivery, Event
from notifier.queue import ring
from notifier.rulefiles import declared, texts
from notifier.rules import audiences, providers
from project.demo.models import Post
from tests.feedback.events import about, bounce
from tests.support.builders import make_audience, make_delivery, make_template, make_trigger, make_user
from tests.support.declaring import only_declared
from tests.support.functions import make_context
from tests.support.observing import registering  # noqa: F401 - a fixture
from tests.support.unstorable import CHARACTERS, faults, variants

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rings_nowhere")]

# A model whose key is a text, and one with a text among two.
TEXT_KEY, TWO_KEYS = "sessions.session", "stock.bin"


@pytest.fixture
def thing(registering):  # noqa: F811
    """A signal of which rules read, compare and reach all that they can."""
    signal = registering("thing", args=["value", "to"])
    parts = {"text": "{{ value }} {{ actor }} {{ target }} {{ value.a }}"}
    for condition in "", "value", "value == 'x'", "value|length > 1 and not to":
        make_trigger(
            verb="thing", model="", condition=condition, contents={"email": parts},
            audiences=[make_audience(paths="email: to\nto")],
        )  # fmt: skip
    make_trigger(contents={"email": {"text": "{{ instance.title }} {{ actor.username }} {{ target }}"}})
    return signal


def calls(text, signal):
    post, user = Post.objects.create(title="x"), make_user()
    post.title = post.body = user.username = user.email = user.pk = text
    send = partial(signal.send, sender=None)
    saved = partial(emit, "post_save", instance=post, created=True)
    many = partial(emit_bulk, [post], created=True)
    return {
        "signal, a value": lambda: send(value=text),
        "signal, a key in a dict": lambda: send(value={text: {text: [text]}, "a": text}),
        "signal, bytes": lambda: send(value=text.encode(errors="surrogatepass")),
        "signal, a set of tuples": lambda: send(value={(text,)}),
        "signal, an address": lambda: send(value=1, to=text),
        "signal, addresses": lambda: send(value=1, to=[text, f"{text}@example.com"]),
        "signal, an object": lambda: send(value=user, to=user),
        "signal, one of several people": lambda: send(value=1, to=[make_user(), user]),
        "signal, actor and target": lambda: send(value=1, actor=user, target=text),
        "signal, an argument that nobody named": lambda: send(value=1, **{text: text}),
        "signal, sender": lambda: signal.send(sender=text, value=text),
        "signal, robust": lambda: signal.send_robust(sender=None, value=text, to=text),
        "signal, async": lambda: async_to_sync(signal.asend)(sender=None, value=text, to=text),
        "signal, async and robust": lambda: async_to_sync(signal.asend_robust)(sender=None, value={text: 1}),
        "emit, a value": lambda: emit("thing", value={text: text}, to=text),
        "emit, the signal": lambda: emit(text),
        "emit, an argument that nobody named": lambda: emit("thing", **{text: 1}),
        "emit, actor": lambda: emit("thing", value=1, actor=user),
        "emit, a text as actor": lambda: emit("thing", value=1, actor=text),
        "emit, target": lambda: emit("thing", value=1, target=text),
        "emit, an object as target": lambda: emit("thing", value=1, target=user),
        "emit, key": lambda: emit("thing", value=1, key=text),
        "emit, sender": lambda: emit("thing", value=1, sender=text),
        "emit, instance": saved,
        "emit, using": lambda: saved(using=text),
        "emit, a text as instance": lambda: saved(instance=text),
        "emit_bulk": many,
        "emit_bulk, of texts": lambda: emit_bulk([text], created=True),
        "emit_bulk, actor and target": lambda: many(actor=user, target=text),
        "emit_bulk, the signal": lambda: many(verb=text),
        "emit_bulk, key": lambda: many(key=lambda each: text),
    }


@CHARACTERS
def test_no_call_fails(text, thing):
    with transaction.atomic():
        assert faults(calls(text, thing)) == {}
    assert set(Event.objects.values_list("status", flat=True)) <= {"recorded", "failed"}


def commands(text):
    template = make_template().name
    quiet = {"stdout": StringIO(), "stderr": StringIO()}
    notify, rules = (partial(call_command, name, **quiet) for name in ("notify", "rules"))
    render = partial(notify, "render", template, "--channel", "email")
    send = partial(notify, "send-test", template, "--channel", "email")
    two_keys = f"{TWO_KEYS}:{json.dumps([text, 1])}"
    return {
        "emit": lambda: notify("emit", text),
        "emit --arg": lambda: notify("emit", "thing", "--arg", f"value={text}"),
        "emit --arg, its name": lambda: notify("emit", "thing", "--arg", f"{text}=1"),
        "emit --arg, JSON": lambda: notify("emit", "thing", "--arg", f"value={json.dumps({text: text})}"),
        "emit --arg, an object": lambda: notify("emit", "thing", "--arg", f"value=demo.post:{text}"),
        "emit --arg, of a text": lambda: notify("emit", "thing", "--arg", f"value={TEXT_KEY}:{text}"),
        "emit --instance": lambda: notify("emit", "post_save", "--instance", f"demo.post:{text}"),
        "emit --instance, of a text": lambda: notify("emit", "post_save", "--instance", f"{TEXT_KEY}:{text}"),
        "emit --instance, two keys": lambda: notify("emit", "post_save", "--instance", two_keys),
        "emit --instance, its model": lambda: notify("emit", "post_save", "--instance", f"{text}:1"),
        "emit --actor": lambda: notify("emit", "thing", "--actor", f"auth.user:{text}"),
        "emit --target": lambda: notify("emit", "thing", "--target", text),
        "emit --key": lambda: notify("emit", "thing", "--key", text),
        "explain, a name": lambda: notify("explain", text, "1"),
        "explain, an address": lambda: notify("explain", f"{text}@example.com", "1"),
        "explain, a key": lambda: notify("explain", f"user:{text}", "1"),
        "explain, an event": lambda: notify("explain", "ada", text),
        "explain, an object": lambda: notify("explain", "ada", f"{TEXT_KEY}:{text}"),
        "explain --channel": lambda: notify("explain", "ada", "1", "--channel", text),
        "explain --since": lambda: notify("explain", "ada", "--since", text),
        "export-person": lambda: notify("export-person", text),
        "export-person, an address": lambda: notify("export-person", f"{text}@example.com"),
        "erase-person": lambda: notify("erase-person", f"{text}@example.com", "--yes"),
        "render": lambda: notify("render", text, "--channel", "email"),
        "render --channel": lambda: notify("render", template, "--channel", text),
        "render --language": lambda: render("--language", text),
        "render --user": lambda: render("--user", text),
        "render --instance": lambda: render("--instance", f"{TEXT_KEY}:{text}"),
        "rules --signal": lambda: notify("rules", "--signal", text),
        "rules --channel": lambda: notify("rules", "--channel", text),
        "send-test": lambda: notify("send-test", text, "--channel", "email", "--to", "ada"),
        "send-test --to": lambda: send("--to", text),
        "send-test --language": lambda: send("--to", "ada", "--language", text),
        "webhook-secret": lambda: notify("webhook-secret", f"https://example.com/{text}"),
        "rules import": lambda: rules("import", text),
        "rules export": lambda: rules("export", f"/nowhere/{text}"),
    }


@CHARACTERS
def test_no_command_fails(text, thing, monkeypatch):
    monkeypatch.setenv("WEBHOOK_SIGNING_KEYS", "x" * 40)
    make_user(username="ada")
    assert faults(commands(text)) == {}


CONTENT = {"channel": "email", "language": "", "subject": "T", "text": "T", "html": "T"}
SUBSCRIPTION = {"template": "news", "channels": ["email"], "audiences": ["team"]}
TRIGGER = {"signal": "post_save", "model": "demo.post", "object": "1", "condition": "1", "category": "news"}
RULES = {
    "version": 1,
    "categories": {"news": {"title": "T", "description": "T"}},
    "audiences": {"team": {"groups": [], "paths": ["x.y"], "addresses": ["email: a@example.com"]}},
    "templates": {"news": {"description": "T", "providers": ["x"], "contents": [CONTENT]}},
    "triggers": {"new": TRIGGER | {"subscriptions": [SUBSCRIPTION]}},
}
GOOD = "version: 1\ntemplates: {news: {contents: [{channel: email, subject: a, text: b}]}}"


def import_text(said, file_format, source=""):
    document, places = texts.read_document(said, file_format)
    rules = rulefiles.check_document(document, places)
    return rulefiles.import_rules(rules, places=places, source=source)


@CHARACTERS
def test_no_file_of_rules_fails(text):
    acts = {
        "as it is": partial(import_text, f"version: 1\n{text}: {text}", "yaml"),
        "as it is, JSON": partial(import_text, f'{{"version": 1, "{text}": 1}}', "json"),
        "the file's name": partial(import_text, GOOD, "yaml", f"rules-{text}.yaml"),
    }
    for path, document in variants(RULES, text):
        # YAML knows the escapes of JSON.
        for file_format in "json", "yaml":
            acts[file_format, path] = partial(import_text, json.dumps(document), file_format)
    assert faults(acts) == {}


RULE = {
    "verb": "post_save", "key": "k", "model": "demo.post", "channels": ["email"],
    "audience": {"paths": ["x.y"], "groups": ["x"], "addresses": ["email: a@example.com"]},
    "contents": {"email": {"subject": "a", "text": "b"}},
    "condition": "1", "category": "news", "target": "x", "object_pk": "1",
}  # fmt: skip

# Python itself refuses these: an argument that there is not, and a text in place of a dict.
NO_RULES = {("contents",), ("contents", "email"), *((name, "key") for name in RULE)}


def declare(options):
    with only_declared():
        notifier.notify_on(**options)
        _changes, problems = declared.keep_declared()
        assert problems, "It is kept."


@CHARACTERS
def test_no_rule_in_code_fails(text):
    acts = {path: partial(declare, rule) for path, rule in variants(RULE, text) if path not in NO_RULES}
    assert faults(acts) == {}


@CHARACTERS
def test_no_registration_fails(text, registering, monkeypatch):  # noqa: F811
    for kept in (audiences, "_callables"), (providers, "_registry"):
        monkeypatch.setattr(*kept, dict(getattr(*kept)))
    device = partial(notifier.register_device, make_user())
    acts = {
        "signal": lambda: notifier.register_signal(text, Signal()),
        "argument": lambda: notifier.register_signal("unstorable", Signal(), args=[text]),
        "audience": lambda: notifier.register_audience(text, lambda event: ()),
        "provider": lambda: notifier.register_provider(text, lambda context: {}, provides=["weather"]),
        "variable": lambda: notifier.register_provider("weather", lambda context: {}, provides=[text]),
        "channel": lambda: notifier.register_channel(text),
        "device": lambda: device(platform="fcm", token=text),
        "platform": lambda: device(platform=text, token="t"),
    }
    assert faults(acts) == {}
    there = [*audiences.callable_names(), *providers.names(), *registry.channel_names()]
    assert not [name for name in there if text in name]


def raised(error):
    raise error


def answers(text):
    """What a channel's function gives back for one of two messages."""
    return {
        "its id": lambda: text,
        "an id that is no text": lambda: [text],
        "rejected": lambda: Rejected(text, text),
        "skipped": lambda: Skipped(text, text),
        "not now": lambda: TryAgain(text, text),
        "nobody knows": lambda: OutcomeUnknown(text, text),
        "a fault": lambda: raised(ValueError(text)),
    }


def deliver(answer, find=None, **values):
    rows = [make_delivery(**values), make_delivery()]
    policy = deliveries.Policy(at_most_once=False, horizon=dt.timedelta(hours=1))
    channel = Channel(
        name="email", send_batch=lambda messages, _session: [answer(), "id"][-len(messages) :],
        session=nullcontext, policy=policy, batch_size=2,
    )  # fmt: skip
    with clock_of(make_context()) as clock:
        channel.deliver([row.pk for row in rows], clock)
    assert not Delivery.objects.filter(pk__in=[row.pk for row in rows], status="claimed").exists()


@CHARACTERS
def test_no_answer_of_a_channel_fails(text, monkeypatch):
    acts = {name: partial(deliver, answer) for name, answer in answers(text).items()}
    acts["found at the provider"] = partial(deliver, str, reason="unsettled")
    monkeypatch.setattr(registry, "finder", lambda channel: lambda *asked: [text])
    assert faults(acts) == {}


RECEIPT = {
    "notification": {"messageId": "1", "timestamp": "2026-01-01 10:00:00"},
    "delivery": {"destination": "+12065550123", "providerResponse": "x"},
    "status": "FAILURE",
}
STATUS = {"MessageStatus": "failed", "ErrorCode": "30005", "MessageSid": "SM1", "To": "+12065550123"}
RING = {"v": 1, "route": "email", "deliveries": [1]}


def heard(read, *said):
    report = read(*said)
    return report and record(report)


@CHARACTERS
def test_no_report_of_a_provider_fails(text):
    row = make_delivery(status="sent", provider_id="id", attempts=1)
    event = about(bounce("Permanent", "NoEmail", "550 x"), row)
    acts = {"ring": partial(ring.parse, text, route="email"), "SES": partial(heard, ses.read_event, text)}
    for path, said in variants(event, text):
        acts["SES", path] = partial(heard, ses.read_event, json.dumps(said))
    for path, said in variants(RECEIPT, text):
        acts["SNS", path] = partial(heard, sms.read_receipt, json.dumps(said))
    for path, said in variants(STATUS, text):
        acts["Twilio", path] = partial(heard, twilio.read_status, said, str(row.pk))
    acts["Twilio, whose"] = partial(heard, twilio.read_status, STATUS, text)
    for path, said in variants(RING, text):
        acts["ring", path] = partial(ring.parse, json.dumps(said), route="email")
    assert faults(acts) == {}
