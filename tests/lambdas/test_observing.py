"""What a function writes on Lambda: lines that name what was worked on, numbers, and nothing about
anybody.
"""

import datetime as dt
import io
import json
import logging

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from lambdas import _handler
from lambdas._json_log import JsonFormatter
from notifier import observing
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.models import Delivery, Lane
from tests.support.builders import make_audience, make_delivery, make_event, make_user
from tests.support.functions import bodies_for, event_for, invoke, make_context, sweep
from tests.support.gate import POST_TO_X, SEND_MAIL, SEND_SMS
from tests.support.statements import statements

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

ADDRESSES = {"email": "marked.person@example.com", "sms": "+447400123456", "twitter": "@marked"}
BODY = "MARKEDBODY"
NAME = "Markedname"
MARKS = ["marked.person", "447400123456", "@marked", BODY, NAME]


@pytest.fixture(autouse=True)
def on_lambda(monkeypatch):
    """As in a function: Lambda's own variables, and a container that has done nothing yet."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "notifier-production-email")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "notifier-production")
    monkeypatch.setattr(observing, "_started", False)


@pytest.fixture
def lines(on_lambda):
    """``lines()``: the log, each line parsed."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    handler.setFormatter(JsonFormatter())
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def metrics(capsys):
    """``metrics()``: what was written in CloudWatch's embedded metric format since the last call, of channels
    or, ``by="lane"``, of lanes.
    """

    def read(by="channel"):
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [each for each in found if by in each]

    return read


def make_channel(*answers, at_most_once=False):
    """A handler of the channel ``email`` that gives these answers, one after the other."""
    left = iter(answers)

    def send(message, session):
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return answer

    send.__module__ = "lambdas.email"
    return _handler.make_handler(send, at_most_once=at_most_once, horizon_hours=1)


def run(handler, deliveries):
    return handler(event_for("email", bodies_for("email", [each.pk for each in deliveries])), make_context())


# Lines.


def test_a_line_names_the_function_the_invocation_and_what_was_worked_on(lines):
    first, second = make_delivery(), make_delivery()
    run(make_channel("id", Rejected("refused")), [first, second])
    (ours,) = [line for line in lines() if line["name"] == "notifier.deliveries.results"]
    assert ours["delivery_ids"] == [first.pk, second.pk]
    assert ours["event_ids"] == sorted([first.event_id, second.event_id])
    named = {
        name: ours[name] for name in ("service", "function_name", "function_request_id", "route", "level")
    }
    assert named == {
        "service": "notifier-production",
        "function_name": "function",
        "function_request_id": "1",
        "route": "email",
        "level": "INFO",
    }
    assert ours["message"].startswith("email took 1 of 2 in ")


def test_only_the_first_invocation_of_a_container_is_a_cold_start(lines):
    channel = make_channel("id", "id")
    run(channel, [make_delivery()])
    run(channel, [make_delivery()])
    assert [line["cold_start"] for line in lines() if line["name"] == "notifier.deliveries.results"] == [
        True,
        False,
    ]


def test_what_an_invocation_put_on_its_lines_is_gone_afterwards_also_when_it_raised(lines):
    def explode(rings, clock):
        raise ValueError

    run(_handler.make_queue_handler("email", explode), [make_delivery()])
    logging.getLogger("elsewhere").warning("Afterwards.")
    *_, line = lines()
    assert line["message"] == "Afterwards."
    assert {"delivery_ids", "event_ids", "route", "function_request_id"} & line.keys() == set()
    assert observing.log_keys() == {}


def test_a_failed_invocation_says_for_which_deliveries(lines):
    def explode(rings, clock):
        raise OperationalError("connection refused\nDETAIL: " + BODY)

    delivery = make_delivery()
    run(_handler.make_queue_handler("email", explode), [delivery])
    (line,) = [line for line in lines() if line["level"] == "ERROR"]
    assert (line["delivery_ids"], line["route"]) == ([delivery.pk], "email")
    assert "OperationalError: connection refused" in line["exception"]
    assert "explode" in line["exception"]
    assert BODY not in json.dumps(line)


def test_the_ids_lead_from_the_event_through_the_fan_out_to_the_delivery(lines, cloud, pump):
    event = make_event(audiences=[make_audience(users=[make_user()])])
    invoke("fanout", *bodies_for("fanout", [event.pk]))
    pump.drain()
    delivery = Delivery.objects.get(event=event)
    about = [
        (line["route"], line.get("delivery_ids")) for line in lines() if line.get("event_ids") == [event.pk]
    ]
    assert about == [("fanout", None), ("email", [delivery.pk])]


def chain(text):
    try:
        try:
            raise KeyError(text)
        except KeyError as error:
            raise RuntimeError(text) from error
    except RuntimeError as error:
        return error


WRITTEN = [
    # what somebody logs → what stands in the line, what does not
    (("sent to %s", ADDRESSES["email"]), {}, "sent to …", MARKS),
    (("called +44 (7400) 123-456 twice",), {}, "called … twice", ["7400"]),
    (("failed",), {"exc_info": chain(NAME)}, "RuntimeError\\nafter:", MARKS),
    (("failed",), {"exc_info": chain(NAME)}, "KeyError", MARKS),
    (
        ("failed",),
        {"exc_info": OperationalError(f"no route to {ADDRESSES['email']}")},
        "OperationalError: no route to …",
        MARKS,
    ),
    (("from %s to %s", "2026-11-21T10:00:00+00:00", 7), {}, "2026-11-21T10:00:00+00:00 to 7", []),
    (("noted",), {"extra": {"event_ids": [7]}}, '"event_ids": [7]', []),
    (("noted",), {"extra": {"request": BODY}}, "noted", MARKS),
]


@pytest.mark.parametrize(("args", "options", "expected", "hidden"), WRITTEN)
def test_an_address_that_a_library_writes_and_the_words_of_an_error_are_left_out(
    lines, args, options, expected, hidden
):
    logging.getLogger("somebody").error(*args, **options)
    (line,) = lines()
    text = json.dumps(line, ensure_ascii=False)
    assert expected in text
    assert [mark for mark in hidden if mark in text] == []


# Numbers.

OUTCOMES = [
    # what the channel answers → the number that goes up, at least once and at most once
    ("id", "Sent", "Sent"),
    (Skipped("opted_out"), "Skipped", "Skipped"),
    (Rejected("refused"), "Failed", "Failed"),
    (TryAgain("throttled"), "Retried", "Retried"),
    (OutcomeUnknown("timeout"), "Retried", "Unknown"),
    (ZeroDivisionError(), "Retried", "Unknown"),
]


@pytest.mark.parametrize("at_most_once", [False, True])
@pytest.mark.parametrize(("answer", "at_least", "at_most"), OUTCOMES)
def test_what_came_of_a_delivery_is_counted(metrics, answer, at_least, at_most, at_most_once):
    run(make_channel(answer, at_most_once=at_most_once), [make_delivery()])
    (found,) = metrics()
    counted = {name for name in ("Sent", "Skipped", "Failed", "Retried", "Unknown") if name in found}
    assert counted == {at_most if at_most_once else at_least}


def test_an_invocation_writes_its_numbers_once_for_its_stack_and_channel(metrics):
    before = timezone.now()
    run(make_channel("id", Rejected("refused"), "id"), [make_delivery() for _ in range(3)])
    spent = (timezone.now() - before).total_seconds()
    (found,) = metrics()
    (directive,) = found["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Notifier", [["stack", "channel"]])
    assert (found["stack"], found["channel"]) == ("notifier-production", "email")
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        "ProviderLatency": "Milliseconds",
        "Sent": "Count",
        "Failed": "Count",
        "DeliveryAge": "Seconds",
    }
    assert (found["Sent"], found["Failed"], len(found["ProviderLatency"]), len(found["DeliveryAge"])) == (
        [2],
        [1],
        3,
        2,
    )
    assert all(0 <= seconds <= spent for seconds in found["DeliveryAge"])
    assert all(0 <= milliseconds <= spent * 1000 for milliseconds in found["ProviderLatency"])


def test_how_long_it_took_is_told_by_lane(metrics):
    urgent, bulk = make_delivery(lane=Lane.URGENT), make_delivery(lane=Lane.BULK)
    begun = {urgent: urgent.event.created_at, bulk: timezone.now() - dt.timedelta(hours=1)}
    Delivery.objects.filter(pk=bulk.pk).update(wanted_at=begun[bulk])
    run(make_channel("id", "id"), [urgent, bulk])
    found = metrics(by="lane")
    assert {each["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0][1] for each in found} == {"lane"}
    assert {each["stack"] for each in found} == {"notifier-production"}
    assert {each["lane"]: len(each[observing.TIME_TO_SENT]) for each in found} == {"urgent": 1, "bulk": 1}
    for each in found:
        delivery = {"urgent": urgent, "bulk": bulk}[each["lane"]]
        delivery.refresh_from_db()
        took = (delivery.finished_at - begun[delivery]).total_seconds()
        assert each[observing.TIME_TO_SENT] == [pytest.approx(took)]


def test_more_calls_than_one_line_holds_are_all_written(metrics):
    first = make_delivery()
    run(make_channel(*["id"] * 120), [first, *(make_delivery(event=first.event) for _ in range(119))])
    found = metrics()
    assert sum(len(each.get("ProviderLatency", [])) for each in found) == 120
    assert [each["Sent"] for each in found if "Sent" in each] == [[120]]


def test_numbers_are_written_also_when_the_handler_raises(metrics):
    with pytest.raises(ValueError, match="too late"), observing.observed("email", make_context()):
        observing.measure("Sent", 1, "Count")
        raise ValueError("too late")
    assert [found["Sent"] for found in metrics()] == [[1]]


@pytest.mark.parametrize("route", ["email", "fanout"])
def test_where_nothing_happened_nothing_is_written(metrics, route):
    invoke(route, *bodies_for(route, [4711]))
    sweep()
    assert metrics() == []


def test_a_count_that_fails_costs_no_delivery(metrics, lines):
    def fail(execute, sql, *more):
        if sql.startswith("SELECT") and "finished_at" in sql:
            raise OperationalError(BODY)
        return execute(sql, *more)

    delivery = make_delivery()
    with connection.execute_wrapper(fail):
        assert run(make_channel("id"), [delivery]) == {"batchItemFailures": []}
    delivery.refresh_from_db()
    assert delivery.status == "sent"
    (line,) = [line for line in lines() if line["name"] == "notifier.deliveries.outcome_counts"]
    assert line["message"] == "What came of 1 deliveries was not counted: OperationalError"


def test_the_fan_out_counts_the_deliveries_it_made_and_the_sweep_what_it_rang_for(metrics, cloud):
    event = make_event(audiences=[make_audience(users=[make_user(), make_user()])])
    invoke("fanout", *bodies_for("fanout", [event.pk]))
    invoke("fanout", *bodies_for("fanout", [event.pk]))  # the same ring again makes none
    assert [(found["channel"], found["DeliveriesMade"]) for found in metrics()] == [("fanout", [2])]
    Delivery.objects.update(due_at=event.created_at)
    assert sweep() == 2
    assert [(found["channel"], found["Rung"]) for found in metrics()] == [("sweep", [2])]


def test_away_from_lambda_nothing_is_written_and_no_query_is_added(metrics, monkeypatch):
    first, second = make_delivery(), make_delivery()
    with statements() as observed:
        run(make_channel("id"), [first])
    metrics()
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    with statements() as elsewhere:
        run(make_channel("id"), [second])
    assert metrics() == []
    assert len(observed) - len(elsewhere) == 1


# Nobody's address, name or message.

REFUSALS = [
    # the channel, the call, and an answer of its provider that repeats what it was given
    ("email", SEND_MAIL, {"status": 400, "body": json.dumps({"message": f"{ADDRESSES['email']} {BODY}"})}),
    (
        "sms",
        SEND_SMS,
        {
            "status": 400,
            "body": (
                f"<Error><Code>InvalidParameter</Code><Message>{ADDRESSES['sms']} {BODY}</Message></Error>"
            ),
        },
    ),
    ("twitter", POST_TO_X, {"status": 400, "body": json.dumps({"detail": BODY})}),
]


@pytest.mark.parametrize("fails", ["nothing", "refused", "cut", "rendering"])
@pytest.mark.parametrize(("channel", "action", "refusal"), REFUSALS)
def test_no_line_and_no_number_holds_an_address_a_name_or_a_message(
    gate, lines, metrics, fails, channel, action, refusal
):
    if fails == "refused":
        gate.answer(action, times=9, **refusal)
    elif fails == "cut":
        gate.cut(action, times=9)
    text = "{{ title|divisibleby:title }}" if fails == "rendering" else "{{ title }}"
    parts = {"text": text} | ({"subject": "{{ title }}"} if channel == "email" else {})
    delivery = make_delivery(
        channel=channel, address=ADDRESSES[channel], parts=parts, data={"title": f"{BODY} for {NAME}"}
    )
    invoke(channel, *bodies_for(channel, [delivery.pk]), BODY)
    written = json.dumps([lines(), metrics()], ensure_ascii=False)
    assert str(delivery.pk) in written, "nothing was written, so nothing was looked at"
    assert [mark for mark in MARKS if mark in written] == []


def test_an_audience_of_the_project_that_fails_says_nothing_about_anybody(lines, monkeypatch):
    def explode(*args, **kwargs):
        raise ValueError(f"{NAME} has no {ADDRESSES['email']}")

    monkeypatch.setattr("notifier.rules.audiences.select_recipients", explode)
    event = make_event()
    assert invoke("fanout", *bodies_for("fanout", [event.pk])) == [0]
    (line,) = [line for line in lines() if line["level"] == "ERROR"]
    assert (line["event_ids"], "ValueError" in line["exception"]) == ([event.pk], True)
    assert [
        mark
        for mark in MARKS
        if mark in json.dumps(line["message"] + line["exception"].rpartition("ValueError")[2])
    ] == []
