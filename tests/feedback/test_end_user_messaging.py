"""What AWS End User Messaging says of an SMS ends at its delivery, in whatever order it comes and however
often.
"""

import json
import random

import pytest

from lambdas import feedback as function
from notifier import deliveries
from notifier.exceptions import MalformedMessage, OutcomeUnknown
from notifier.feedback.end_user_messaging import is_its_own, read_event
from notifier.local.sms_voice import event_of
from notifier.models import Feedback, Gauge, Suppression
from tests.support.builders import make_delivery

pytestmark = pytest.mark.django_db

NUMBER, MESSAGE_ID = "+12065550123", "862a8790-60c0-4430-9b2b-658b7d1f2c3e"


def sent(answer=MESSAGE_ID):
    row = make_delivery(channel="sms", address=NUMBER)
    (work,) = deliveries.claim_deliveries([row.pk], channel="sms", lease_seconds=900)
    deliveries.mark_sending([work])
    policy = deliveries.Policy(at_most_once=True, horizon=None)
    deliveries.record_answers([(work, answer)], policy)
    return row


def told(row, name, words="", **changed):
    """One event, as the queue holds it."""
    context = {"notifier-delivery": str(row.pk)}
    event = event_of(name, name.removeprefix("TEXT_"), words, MESSAGE_ID, NUMBER, context) | changed
    return json.dumps({key: value for key, value in event.items() if value is not None})


def hear(*bodies):
    return function.hear([{"messageId": str(n), "body": body} for n, body in enumerate(bodies)])


def state(row):
    row.refresh_from_db()
    return row.status, row.returned, list(Suppression.objects.values_list("reason", flat=True))


EVENTS = [
    # the type, its words, what is stored, what stands on the delivery, why the number is suppressed
    ("TEXT_DELIVERED", "Message has been accepted by phone", "delivered", "", []),
    ("TEXT_SUCCESSFUL", "Message has been accepted by phone carrier", "delivered", "", []),
    ("TEXT_INVALID", "Invalid phone number", "bounced", "bounced", ["bounced"]),
    ("TEXT_INVALID", "", "bounced", "bounced", ["bounced"]),
    ("TEXT_INVALID_MESSAGE", "Message body is invalid", "refused", "refused", []),
    ("TEXT_UNREACHABLE", "Phone is currently unreachable/unavailable", "bounced", "bounced", []),
    ("TEXT_CARRIER_UNREACHABLE", "Phone carrier is currently unreachable", "bounced", "bounced", []),
    ("TEXT_BLOCKED", "Phone has blocked SMS", "bounced", "bounced", []),
    ("TEXT_BLOCKED", f"{NUMBER} is opted out", "refused", "refused", ["opted_out"]),
    ("TEXT_CARRIER_BLOCKED", "Phone carrier has blocked this message", "refused", "refused", []),
    ("TEXT_SPAM", "Blocked as spam by phone carrier", "refused", "refused", []),
    ("TEXT_TTL_EXPIRED", "", "bounced", "bounced", []),
    ("TEXT_PROTECT_BLOCKED", "", "refused", "refused", []),
    ("TEXT_UNKNOWN", "Unknown error attempting to reach phone", "bounced", "bounced", []),
    ("TEXT_UNKNOWN", "This delivery would exceed the account's spend limit", "refused", "refused", []),
]


@pytest.mark.parametrize(("name", "words", "kind", "returned", "reasons"), EVENTS)
def test_each_event_is_stored_once_at_its_delivery(name, words, kind, returned, reasons):
    row = sent()
    assert hear(*[told(row, name, words)] * 3) == []
    assert state(row) == ("sent", returned, reasons)
    heard = Feedback.objects.get()
    assert (heard.kind, NUMBER[2:] in heard.detail) == (kind, False)
    assert bool(heard.detail) == (kind != "delivered")
    assert Gauge.objects.filter(name="account.sms").exists() == ("spend limit" in words)


@pytest.mark.parametrize(
    "name", ["TEXT_QUEUED", "TEXT_PENDING", "TEXT_SENT", "TEXT_OF_NEXT_YEAR", "RCS_READ"]
)
def test_what_says_nothing_yet_or_nobody_knows_is_taken_and_nothing_is_kept(name, caplog):
    row = sent()
    assert hear(told(row, name)) == []
    assert (state(row), Feedback.objects.count()) == (("sent", "", []), 0)
    assert NUMBER[2:] not in caplog.text


def test_a_failure_that_is_not_final_is_none():
    row = sent()
    assert hear(told(row, "TEXT_CARRIER_UNREACHABLE", isFinal=False)) == []
    assert state(row)[:2] == ("sent", "")


def test_events_come_in_any_order():
    for seed in range(5):
        row = sent()
        bodies = [
            told(row, name) for name in ("TEXT_QUEUED", "TEXT_PENDING", "TEXT_SPAM", "TEXT_PENDING")
        ] * 2
        random.Random(seed).shuffle(bodies)
        assert hear(*bodies) == []
        assert state(row)[:2] == ("sent", "refused")
        assert row.feedback.count() == 1
        row.delete()


@pytest.mark.parametrize(
    "changed",
    [
        {"context": None},  # an event of a message that named no delivery is found by AWS's id
        {"destinationPhoneNumber": None},
        {"eventTimestamp": None, "messageRequestTimestamp": "soon"},
    ],
)
def test_what_an_event_leaves_out_is_made_up_for(changed):
    row = sent()
    assert hear(told(row, "TEXT_SPAM", **changed)) == []
    assert state(row)[:2] == ("sent", "refused")


@pytest.mark.parametrize(
    "changed",
    [
        {"destinationPhoneNumber": "+12065550100"},  # of another number
        {"messageId": "another"},
        {"context": {"notifier-delivery": "99999999"}},
    ],
)
def test_what_fits_no_delivery_changes_none(changed):
    row = sent()
    assert hear(told(row, "TEXT_SPAM", **changed)) == []
    assert (state(row)[:2], Feedback.objects.count()) == (("sent", ""), 0)


@pytest.mark.parametrize(("name", "returned"), [("TEXT_SUCCESSFUL", ""), ("TEXT_SPAM", "refused")])
def test_an_sms_whose_answer_was_lost_is_known_to_be_sent_once_aws_speaks_of_it(name, returned):
    row = sent(OutcomeUnknown("timeout"))
    assert state(row)[:2] == ("unknown", "")
    assert hear(told(row, name)) == []
    assert (state(row)[:2], row.provider_id) == (("sent", returned), MESSAGE_ID)


@pytest.mark.parametrize("body", ['{"eventType": "TEXT_SPAM"}', '{"eventType": "TEXT_SPAM", "messageId": 5}'])
def test_what_is_no_event_is_malformed_and_quotes_nothing(body):
    with pytest.raises(MalformedMessage, match="no event of AWS End User Messaging"):
        read_event(body)


def test_events_of_mail_are_told_apart():
    row = make_delivery(channel="sms", address=NUMBER)
    assert is_its_own(told(row, "TEXT_SPAM"))
    in_a_mail = {"eventType": "Send", "mail": {"subject": told(row, "TEXT_SPAM")}}
    assert not is_its_own(json.dumps(in_a_mail))
    assert not is_its_own('{"eventType": "Rendering Failure"}')
