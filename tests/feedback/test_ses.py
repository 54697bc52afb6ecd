"""What SES says of a mail ends in the same state in whatever order it comes, however often, and of whatever
it is.
"""

import base64
import datetime as dt
import json
import random

import boto3
import pytest
from django.db.models.signals import pre_save
from django.utils import timezone

from lambdas import feedback as function
from notifier import deliveries, hooks
from notifier.channels.recipient import normalise
from notifier.exceptions import MalformedMessage, Rejected
from notifier.feedback.reports import DELIVERY_TAG
from notifier.feedback.ses import GREETING, read_event
from notifier.models import Delivery, Event, Feedback, Suppression
from tests.feedback.events import MESSAGE_ID, RECORDED, about, bounce, complaint, delivery as delivered
from tests.support.builders import make_delivery, make_event
from tests.support.functions import event_for, invoke
from tests.support.gate import SEND_MAIL

pytestmark = pytest.mark.django_db

POLICY = deliveries.Policy(at_most_once=False, horizon=dt.timedelta(hours=24))


@pytest.fixture(autouse=True)
def event(db):
    """One for all deliveries of a test: rules are slow to make."""
    shared["event"] = make_event(status=Event.Status.DONE, due_at=None)


shared = {}


def make_row(**values):
    return make_delivery(event=shared["event"], **values)


def claim(row):
    (work,) = deliveries.claim_deliveries([row.pk], channel="email", lease_seconds=900)
    return work


def store(work, answer=MESSAGE_ID):
    deliveries.record_answers([(work, answer)], POLICY)


def make_sent(**values):
    row = make_row(**values)
    store(claim(row))
    row.refresh_from_db()
    return row


def hear(*events):
    """Give them to the function, as its queue does. Returns the positions of those that must come again."""
    bodies = [event if isinstance(event, str) else json.dumps(event) for event in events]
    return [int(each) for each in function.hear(event_for("feedback", bodies)["Records"])]


def state(row):
    """What is to be the same in the end."""
    row.refresh_from_db()
    return {
        "status": row.status,
        "returned": row.returned,
        "heard": sorted(row.feedback.values_list("kind", "detail", "permanent", "happened_at")),
        "suppressed": sorted(
            Suppression.objects.filter(address=normalise(row.address)).values_list("channel", "reason")
        ),
    }


@pytest.mark.parametrize("name", RECORDED)
def test_each_kind_of_event_leaves_the_same_before_the_answer_is_stored_after_it_and_repeated_and_shuffled(
    name,
):
    recorded, sent_at = RECORDED[name], timezone.now()
    early, late, shuffled = make_row(), make_sent(), make_sent()

    work = claim(early)
    assert hear(about(recorded.event, early, sent_at=sent_at)) == []
    store(work)
    assert hear(about(recorded.event, late, sent_at=sent_at)) == []
    others = [about(each.event, make_sent()) for each in RECORDED.values()][:4]
    events = [about(recorded.event, shuffled, sent_at=sent_at)] * 3 + others
    random.Random(name).shuffle(events)
    assert hear(*events) == []

    expected = state(late)
    assert state(early) == expected
    assert state(shuffled) == expected
    assert expected["status"] == "sent"
    assert expected["returned"] == recorded.returned
    assert [kind for kind, *_ in expected["heard"]] == list(recorded.kinds)
    assert [permanent for _, _, permanent, _ in expected["heard"]] == [
        recorded.permanent for _ in recorded.kinds
    ]
    assert expected["suppressed"] == ([("email", recorded.suppressed)] if recorded.suppressed else [])
    for _, detail, *_ in expected["heard"]:
        assert recorded.says in detail
        assert late.address.partition("@")[0] not in detail, "everybody may read a detail"
        assert "secret-token" not in detail


def test_there_are_at_least_25_kinds():
    assert len(RECORDED) >= 25


SEVERAL = [
    # what SES says of one mail, in the end
    (["transient, general", "delivered"], "", []),  # an automatic reply to what did arrive
    (["delivered", "permanent, general"], "bounced", ["bounced"]),  # taken, and returned later
    (["delivered", "opened", "clicked", "complaint, abuse"], "complained", ["complained"]),
    (["permanent, general", "complaint, abuse"], "complained", ["complained"]),
    (["delayed, not reached", "transient, the mailbox is full"], "bounced", []),
    (["delayed, not reached", "delivered"], "", []),
    (["complaint, abuse", "complaint, not spam"], "complained", ["complained"]),
]


@pytest.mark.parametrize(("names", "returned", "reasons"), SEVERAL)
def test_several_events_of_one_mail_leave_the_same_in_any_order(names, returned, reasons):
    for names_now in (names, names[::-1], random.Random(1).sample(names, len(names)) + names):
        row = make_sent()
        assert hear(*(about(RECORDED[name].event, row) for name in names_now)) == []
        found = state(row)
        assert (found["returned"], [reason for _, reason in found["suppressed"]]) == (returned, reasons)
        assert len(found["heard"]) == len(names)


NOT_ITS = [
    # an event that is not of the delivery → how it differs
    ("another provider's id", lambda row: about(GONE, row, message_id="another")),
    ("another address", lambda row: about(GONE, make_other_address(row))),
    ("an id that is not there", lambda row: tagged(row, str(row.pk + 1000))),
    ("an id of another delivery", lambda row: tagged(row, str(make_sent().pk))),
    ("an id that is no number", lambda row: tagged(row, "1 OR 1")),
    ("an id in other digits", lambda row: tagged(row, "١")),
    ("an id beyond all ids", lambda row: tagged(row, "9" * 40)),
    ("no tag and another provider's id", lambda row: about(GONE, row, tags=False, message_id="another")),
    ("no tag and another address", lambda row: about(GONE, make_other_address(row), tags=False)),
    ("two tags", lambda row: tagged(row, str(row.pk), str(row.pk))),
]
GONE = bounce("Permanent", "General")


def make_other_address(row):
    return Delivery(pk=row.pk, address="somebody-else@example.com", created_at=row.created_at)


def tagged(row, *values):
    """With a provider's id that nobody has: a tag alone must not do."""
    event = about(GONE, row, message_id="another")
    event["mail"]["tags"][DELIVERY_TAG] = list(values)
    return event


@pytest.mark.parametrize(("name", "make"), NOT_ITS, ids=[name for name, _ in NOT_ITS])
def test_an_event_of_something_else_changes_nothing_and_is_no_error(name, make):
    row = make_sent()
    assert hear(make(row)) == []
    assert not Feedback.objects.exists()
    assert not Suppression.objects.exists()
    assert state(row)["returned"] == ""


def test_an_event_without_tags_is_found_by_the_providers_id_and_the_address():
    row = make_sent()
    assert hear(about(GONE, row, tags=False)) == []
    assert state(row)["returned"] == "bounced"


def test_an_event_of_a_delivery_that_was_purged_is_no_error():
    row = make_sent()
    event = about(GONE, row)
    row.delete()
    assert hear(event) == []
    assert not Suppression.objects.exists()


def test_a_delivery_that_the_provider_refused_at_once_believes_no_event():
    row = make_row()
    store(claim(row), Rejected("message_rejected"))
    assert hear(about(GONE, row)) == []
    assert not Feedback.objects.exists()


def test_an_event_of_a_mail_whose_answer_was_lost_is_believed():
    """The function died after the call, and the delivery is tried again: both mails are its own."""
    row = make_row()
    claim(row)
    Delivery.objects.update(due_at=timezone.now())
    store(claim(row))
    assert hear(about(GONE, row, message_id="the-first-mail")) == []
    assert state(row)["returned"] == "bounced"


def test_a_bounce_of_an_earlier_sending_does_not_undo_the_one_that_a_person_asked_for():
    row = make_sent()
    deliveries.resend([row.pk])
    store(claim(row), "second")
    assert hear(about(GONE, row)) == []
    assert state(row)["returned"] == ""
    assert state(row)["suppressed"] == [("email", "bounced")]
    assert hear(about(bounce("Transient", "MailboxFull"), row, message_id="second")) == []
    assert state(row)["returned"] == "bounced"


def test_of_a_mail_to_several_only_those_count_that_the_event_is_about():
    row = make_sent()
    event = about(bounce("Permanent", "General", recipients=["other@example.com"]), row)
    event["mail"]["destination"].append("other@example.com")
    assert hear(event) == []
    assert not Feedback.objects.exists()
    event["bounce"]["bouncedRecipients"].append({"emailAddress": f"Somebody <{row.address.upper()}>"})
    assert hear(event) == []
    assert state(row)["returned"] == "bounced"


MALFORMED = [
    # a text of which SES says nothing; where a sentence may be, that may quote it
    "",
    "{",
    "[]",
    "null",
    '"Bounce"',
    "{}",
    '{"eventType": "Bounce"}',
    '{"eventType": "Bounce", "mail": {}}',
    '{"eventType": 1, "mail": {"messageId": "1"}}',
    '{"eventType": "Bounce", "mail": {"messageId": "1"}}',  # without a bounce
    '{"eventType": "Bounce", "mail": {"messageId": "1", "destination": 7}, "bounce": {}}',
    '{"eventType": "Complaint", "complaint": [], "mail": {"messageId": "1", "destination": '
    '["a@example.com"]}}',
    json.dumps({"Type": "Notification", "Message": "{}"}),  # SNS's envelope: delivery is raw
    "[" * 100_000,
]


@pytest.mark.parametrize("body", MALFORMED)
def test_what_is_no_event_is_refused_without_being_quoted(body):
    with pytest.raises(MalformedMessage) as caught:
        read_event(body)
    assert "a@example.com" not in str(caught.value)


@pytest.mark.django_db(transaction=True)
def test_a_malformed_message_goes_to_the_dead_letter_queue_and_the_others_are_heard(cloud):
    row = make_sent()
    assert invoke("feedback", "{", json.dumps(about(GONE, row))) == []
    assert state(row)["returned"] == "bounced"
    assert cloud_messages("notifier-feedback-dlq") == ["{"]


def cloud_messages(name):
    sqs = boto3.client("sqs")
    found = sqs.receive_message(
        QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], MaxNumberOfMessages=10
    )
    return [message["Body"] for message in found.get("Messages", [])]


GREETINGS = [
    GREETING,
    f"{GREETING}\n",
    json.dumps(GREETING),
    # Of an identity's notifications
    json.dumps({"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have successfully …"}),
    # SNS's own, where somebody has subscribed the queue by hand
    json.dumps({"Type": "SubscriptionConfirmation", "Token": "GEHEIM", "TopicArn": "arn:aws:sns:…"}),
    json.dumps({"Type": "UnsubscribeConfirmation", "Token": "GEHEIM", "TopicArn": "arn:aws:sns:…"}),
]


@pytest.mark.parametrize("body", GREETINGS)
def test_what_ses_and_sns_say_to_a_topic_once_is_no_event_and_no_fault(body, caplog, gate):
    caplog.set_level("INFO")
    assert hear(body) == []
    assert gate.calls == [], "nothing goes to the dead-letter queue"
    assert [each for each in caplog.records if each.levelname in ("ERROR", "WARNING")] == []
    assert "GEHEIM" not in caplog.text


@pytest.mark.parametrize("name", ["permanent, general", "permanent, without recipients"])
def test_of_a_mail_whose_recipient_ses_does_not_name_at_all_its_own_id_says_who_it_is(name):
    row, other = make_sent(), make_sent()
    event = about(RECORDED[name].event, row)
    del event["mail"]["destination"]
    event["bounce"]["bouncedRecipients"] = []
    forged = json.loads(json.dumps(event))
    forged["mail"] |= {"messageId": "another", "tags": {DELIVERY_TAG: [str(other.pk)]}}
    assert hear(event, forged) == []
    assert (state(row)["returned"], state(row)["suppressed"]) == ("bounced", [("email", "bounced")])
    assert state(other)["returned"] == ""


def test_a_message_that_could_not_be_stored_comes_again_and_the_others_are_heard():
    first, second = make_sent(), make_sent()
    broken = about(GONE, first)

    def refuse(sender, instance, **_):
        if instance.delivery_id == first.pk:
            raise RuntimeError("the database is away")

    pre_save.connect(refuse, sender=Feedback)
    try:
        assert hear(broken, about(GONE, second)) == [0]
    finally:
        pre_save.disconnect(refuse, sender=Feedback)
    assert (state(first)["returned"], state(first)["suppressed"]) == ("", [])
    assert state(second)["returned"] == "bounced"
    assert hear(broken) == []
    assert state(first)["returned"] == "bounced"


def test_whoever_listens_is_told_once_after_it_was_stored(django_capture_on_commit_callbacks):
    told = []

    def listen(sender, signal, **arguments):
        told.append((Feedback.objects.count(), arguments))

    row = make_sent()
    hooks.feedback_received.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            hear(*[about(GONE, row)] * 3)
    finally:
        hooks.feedback_received.disconnect(listen)
    ((stored, arguments),) = told
    assert stored == 1
    assert arguments.pop("detail")
    assert arguments == {
        "delivery_id": row.pk,
        "event_id": row.event_id,
        "channel": "email",
        "recipient": row.recipient,
        "kind": "bounced",
        "permanent": True,
        "returned": "bounced",
    }


@pytest.mark.django_db(transaction=True)
def test_the_mail_carries_its_id_where_only_ses_sees_it(gate):
    row = make_row()
    invoke("email", json.dumps({"v": 1, "route": "email", "deliveries": [row.pk]}))
    (call,) = [call for call in gate.calls if call.action == SEND_MAIL]
    asked = json.loads(call.body)
    assert asked["EmailTags"] == [{"Name": DELIVERY_TAG, "Value": str(row.pk)}]
    assert DELIVERY_TAG.encode() not in base64.b64decode(asked["Content"]["Raw"]["Data"])


def test_a_complaint_stays_the_reason_after_a_bounce_that_comes_later():
    row = make_sent()
    hear(about(complaint("abuse"), row), about(GONE, row), about(delivered(), row))
    assert state(row)["suppressed"] == [("email", "complained")]
