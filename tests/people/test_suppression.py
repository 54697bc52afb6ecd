"""A suppressed address gets nothing, in whichever spelling, from the fan-out on to the last moment before the
send.
"""

import base64
import datetime as dt
import gzip
import json
from types import SimpleNamespace

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from lambdas import feedback as function
from notifier import deliveries
from notifier.channels.recipient import normalise
from notifier.exceptions import Skipped
from notifier.feedback import sms
from notifier.gates import suppressed
from notifier.models import Delivery, Feedback, Gauge, Suppression
from notifier.people import suppression
from tests.support.builders import make_delivery, make_user
from tests.support.functions import bodies_for, invoke

Reason = Suppression.Reason
pytestmark = pytest.mark.django_db

SPELLINGS = [
    # spellings of one address
    ("Ann@Example.com", " ann@example.COM\n"),
    ("ann@bücher.example", "ANN@xn--bcher-kva.example"),
    ("ann@ｅxample.com", "ann@example.com"),  # a wide letter
    ("ann\0@example.com", "ann@example.com"),
    ("+44 7400 123456", "+447400123456"),
    ("+44 (0) 7400-123.456", "tel:+44 7400/123456"),
    ("+٤٤ 7400 123456", "+447400123456"),
    ("@Account", "@account"),
    ("user@@example..com", "USER@@example..com"),  # no address, and no error
]
APART = [
    # not the same
    ("ann@example.com", "ann+news@example.com"),
    ("ann@example.com", "a.nn@example.com"),
    ("+447400123456", "+447400123457"),
    ("447400123456", "+447400123456"),  # by whom, nobody knows
]


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_spellings_of_one_address_are_one(one, other):
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_other_addresses_are_others(one, other):
    assert normalise(one) != normalise(other)


@pytest.mark.django_db(transaction=True)
def test_a_bounce_that_is_stored_before_the_claim_wins(gate):
    row = make_delivery()
    suppression.suppress("email", row.address.upper(), Reason.BOUNCED)
    assert invoke("email", *bodies_for("email", [row.pk])) == []
    row.refresh_from_db()
    assert (row.status, row.reason, gate.sends()) == ("skipped", "suppressed", 0)
    assert row.detail.startswith("Bounced permanently on ")


def test_the_gate_asks_once_for_all_and_not_at_all_where_nobody_has_an_address(django_assert_num_queries):
    suppression.suppress("email", "ann@example.com", Reason.COMPLAINED)
    asked = [SimpleNamespace(address=each) for each in ("ANN@example.com", "bob@example.com", "")]
    with django_assert_num_queries(1):
        first, second, third = suppressed.refuse(asked, "email")
    assert (type(first), first.reason, second, third) == (Skipped, "suppressed", None, None)
    assert "ann" not in first.detail
    with django_assert_num_queries(0):
        assert suppressed.refuse([SimpleNamespace(address="")], "email") == [None]
    assert suppressed.refuse(asked, "sms") == [None, None, None]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("light", "heavy"), list(zip(suppression.WEIGHT, suppression.WEIGHT[1:], strict=False))
)
def test_the_weightier_reason_stays_in_either_order(light, heavy, order):
    for reason in (light, heavy)[::order]:
        suppression.suppress("email", "ann@example.com", reason)
    assert Suppression.objects.get().reason == heavy


@pytest.mark.django_db(transaction=True)
def test_a_number_that_opted_out_at_the_provider_is_not_asked_for_again(cloud):
    number = "+447400000199"  # moto takes it for opted out
    first, second = (
        make_delivery(channel="sms", address=number),
        make_delivery(channel="sms", address="+44 7400 000199"),
    )
    invoke("sms", *bodies_for("sms", [first.pk]))
    invoke("sms", *bodies_for("sms", [second.pk]))
    assert [(row.status, row.reason) for row in Delivery.objects.order_by("pk")] == [
        ("skipped", "opted_out"),
        ("skipped", "suppressed"),
    ]
    assert Suppression.objects.values_list("channel", "address", "reason").get() == (
        "sms",
        number,
        "opted_out",
    )


# Receipts of SMS.


def receipt(
    row,
    status="SUCCESS",
    said="Message has been accepted by phone carrier",
    *,
    number=None,
    message_id="sms-1",
):
    """https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html"""
    sent = (row.finished_at or row.created_at).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    delivery = {
        "destination": number or row.address,
        "providerResponse": said,
        "dwellTimeMs": 599,
        "smsType": "Transactional",
    }
    return json.dumps(
        {"notification": {"messageId": message_id, "timestamp": sent}, "delivery": delivery, "status": status}
    )


def from_logs(*lines, kind="DATA_MESSAGE"):
    events = [{"id": str(n), "timestamp": 0, "message": line} for n, line in enumerate(lines)]
    data = {"messageType": kind, "owner": "123456789012", "logEvents": events}
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(data).encode())).decode()}}


def make_text(**values):
    row = make_delivery(channel="sms", **values)
    (work,) = deliveries.claim_deliveries([row.pk], channel="sms", lease_seconds=900)
    deliveries.mark_sending([work])
    return row, work


def store(row, work):
    deliveries.record_answers([(work, "sms-1")], deliveries.Policy(at_most_once=True, horizon=None))
    row.refresh_from_db()


GAUGE = "account.sms"
RECEIPTS = [
    # status, the carrier's words, what is stored, what stands on the delivery, why the number is suppressed
    ("SUCCESS", "Message has been accepted by phone carrier", "delivered", "", None),
    ("FAILURE", "Phone number is opted out", "refused", "refused", "opted_out"),
    ("FAILURE", "Invalid phone number", "bounced", "bounced", "bounced"),
    ("FAILURE", "Phone is currently unreachable/unavailable", "bounced", "bounced", None),
    ("FAILURE", "This delivery would exceed max price", "refused", "refused", None),
    ("FAILURE", "Words of next year", "bounced", "bounced", None),
    # The same in other words; of the number:
    ("FAILURE", "+15555550100 is opted out", "refused", "refused", "opted_out"),
    ("FAILURE", "Destination phone number opted out", "refused", "refused", "opted_out"),
    ("FAILURE", "PHONE NUMBER IS OPTED OUT.", "refused", "refused", "opted_out"),
    ("FAILURE", "invalid phone number ", "bounced", "bounced", "bounced"),
    ("FAILURE", "Phone is on a blocked list", "bounced", "bounced", None),
    ("FAILURE", "Destination is on a blocked list", "bounced", "bounced", None),
    ("FAILURE", "Phone has blocked SMS", "bounced", "bounced", None),
    ("FAILURE", "Phone carrier is currently unreachable/unavailable", "bounced", "bounced", None),
    ("FAILURE", "Unknown error attempting to reach phone", "bounced", "bounced", None),
    ("FAILURE", "", "bounced", "bounced", None),
    # Of the text, and of the account.
    ("FAILURE", "Blocked as spam by phone carrier", "refused", "refused", None),
    ("FAILURE", "Phone carrier has blocked this message", "refused", "refused", None),
    ("FAILURE", "Message body is invalid", "refused", "refused", None),
    ("FAILURE", "No quota left for account", "refused", "refused", None),
    ("FAILURE", "Account spend limit exceeded", "refused", "refused", None),
]


@pytest.mark.parametrize(("status", "said", "kind", "returned", "reason"), RECEIPTS)
@pytest.mark.parametrize("early", [False, True])
def test_a_receipt_of_an_sms_is_stored_before_its_answer_or_after_it(
    status, said, kind, returned, reason, early
):
    row, work = make_text()
    if not early:
        store(row, work)
    reports = sms.read_receipts(from_logs(*[receipt(row, status, said)] * 2))
    assert len([found for found in map(function.record, reports) if found]) == 1
    if early:
        store(row, work)
    row.refresh_from_db()
    assert (row.status, row.returned, Feedback.objects.get().kind) == ("sent", returned, kind)
    assert Suppression.objects.values_list("reason", flat=True).first() == reason


@pytest.mark.parametrize(
    ("said", "is_the_accounts"),
    [
        ("No quota left for account", True),
        ("Your monthly spending limit has been reached", True),
        ("Rate exceeded.", True),
        ("Phone is currently unreachable/unavailable", False),
        ("This delivery would exceed max price", False),
    ],
)
def test_what_the_provider_says_of_our_account_is_blamed_on_no_number_and_seen_by_people(
    admin_client, said, is_the_accounts
):
    row, work = make_text()
    store(row, work)
    for report in sms.read_receipts(from_logs(receipt(row, "FAILURE", said))):
        function.record(report)
    assert not Suppression.objects.exists()
    shown = [item.text for item in admin_client.get("/admin/notifier/overview/").context["attention"]]
    assert bool([text for text in shown if "limit of our account" in text]) == is_the_accounts
    assert (GAUGE in Gauge.objects.values_list("name", flat=True)) == is_the_accounts

    # Of yesterday nobody needs to read.
    Gauge.objects.filter(name=GAUGE).update(measured_at=timezone.now() - dt.timedelta(days=1))
    shown = [item.text for item in admin_client.get("/admin/notifier/overview/").context["attention"]]
    assert [text for text in shown if "limit of our account" in text] == []


def test_a_receipt_that_names_no_number_is_found_by_its_id_alone():
    row, work = make_text()
    store(row, work)
    line = json.loads(receipt(row, "FAILURE", "Phone number is opted out"))
    del line["delivery"]["destination"]
    other = json.loads(json.dumps(line))
    other["notification"]["messageId"] = "another"
    reports = sms.read_receipts(from_logs(json.dumps(line), json.dumps(other)))
    assert [bool(function.record(report)) for report in reports] == [True, False]
    assert Suppression.objects.get().reason == "opted_out"


def test_a_line_about_a_phones_app_is_no_receipt():
    """https://docs.aws.amazon.com/sns/latest/dg/sns-msg-status.html"""
    line = {
        "notification": {"messageId": "1", "timestamp": "2026-05-03 00:40:34.559"},
        "delivery": {"destination": "arn:aws:sns:us-east-1:1:endpoint/GCM/shop/1", "statusCode": 410},
        "status": "FAILURE",
    }
    assert sms.read_receipts(from_logs(json.dumps(line))) == []


def test_receipts_of_others_and_lines_that_are_none_change_nothing():
    row, work = make_text()
    store(row, work)
    lines = [
        receipt(row, message_id="another"),
        receipt(row, number="+447400999999"),
        "START RequestId: 1",
        "[]",
        '{"notification": {}}',
        '{"notification": 1, "delivery": 2, "status": 3}',
    ]
    assert [function.record(report) for report in sms.read_receipts(from_logs(*lines))] == [None, None]
    assert sms.read_receipts(from_logs(*lines, kind="CONTROL_MESSAGE")) == []
    assert not Feedback.objects.exists()


@pytest.mark.parametrize(
    "data", ["", "ä", "AAAA", base64.b64encode(gzip.compress(b"{", mtime=0)).decode(), None]
)
@pytest.mark.django_db(transaction=True)
def test_a_call_that_is_none_of_cloudwatch_is_dropped(data):
    assert function.handler({"awslogs": {"data": data}}, None) == {"heard": 0}


# In the admin.


@pytest.fixture
def sign_in(client):
    def as_somebody(*names):
        user = make_user(is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(codename__in=names, content_type__app_label="notifier")
        )
        client.force_login(user)
        return client

    return as_somebody


LIST, ADD = "admin:notifier_suppression_changelist", "admin:notifier_suppression_add"


def test_an_address_is_lifted_with_a_reason_that_stays_in_the_log(sign_in):
    client = sign_in("view_suppression", "delete_suppression", "view_recipients")
    suppression.suppress("email", "ann@example.com", Reason.BOUNCED, "user unknown")
    url = reverse("admin:notifier_suppression_delete", args=[Suppression.objects.get().pk])
    assert "ann@example.com" in client.get(url).content.decode()
    assert client.post(url, {"why": " "}).status_code == 200
    assert Suppression.objects.exists()
    assert client.post(url, {"why": "The mailbox is back."}).status_code == 302
    assert not Suppression.objects.exists()
    logged = LogEntry.objects.get()
    assert "The mailbox is back." in logged.get_change_message()
    assert "ann" not in logged.object_repr


def test_an_address_is_stopped_by_hand_once_in_its_normal_form(sign_in):
    client = sign_in("view_suppression", "add_suppression", "view_recipients")
    values = {"channel": "email", "address": " ANN@example.com", "detail": "Asked by phone."}
    assert client.post(reverse(ADD), values).status_code == 302
    found = Suppression.objects.get()
    assert (found.address, found.reason, found.detail) == ("ann@example.com", "by_hand", "Asked by phone.")
    assert "on the list already" in client.post(reverse(ADD), values).content.decode()


def test_without_the_permission_addresses_are_neither_seen_nor_found_out(sign_in):
    suppression.suppress("email", "ann@example.com", Reason.BOUNCED)
    row = Suppression.objects.get()
    client = sign_in("view_suppression", "add_suppression", "delete_suppression")
    change, lift = (
        reverse(f"admin:notifier_suppression_{name}", args=[row.pk]) for name in ("change", "delete")
    )
    for url in (reverse(LIST), reverse(LIST) + "?q=ann@example.com", change, lift):
        assert "ann@example.com" not in client.get(url).content.decode().replace(
            'value="ann@example.com"', ""
        )
    assert client.get(reverse(LIST) + "?q=ann@example.com").context["cl"].result_count == 0
    asked = client.get(reverse(LIST) + "?address__startswith=a")
    # As for a column that is not there.
    assert (asked.status_code, asked.url) == (302, f"{reverse(LIST)}?e=1")
    assert client.get(reverse(ADD)).status_code == 403


def test_who_may_only_look_can_neither_add_nor_lift(sign_in):
    suppression.suppress("email", "ann@example.com", Reason.BOUNCED)
    client = sign_in("view_suppression", "view_recipients")
    lift = reverse("admin:notifier_suppression_delete", args=[Suppression.objects.get().pk])
    assert client.post(lift, {"why": "x"}).status_code == client.post(reverse(ADD), {}).status_code == 403
    assert client.get(reverse(LIST) + "?q=Ann@Example.com").context["cl"].result_count == 1


def test_the_list_of_deliveries_shows_and_filters_what_came_back(sign_in):
    client = sign_in("view_delivery", "view_event", "view_recipients")
    event = make_delivery(status="sent", returned="bounced").event
    good = make_delivery(event=event, status="sent")
    bad = Delivery.objects.exclude(pk=good.pk).get()
    Feedback.objects.create(
        delivery=bad, kind="bounced", detail="no such address", happened_at=bad.created_at, key="1"
    )
    url = reverse("admin:notifier_delivery_changelist")
    for value in ("any", "bounced"):
        answer = client.get(url, {"returned": value})
        assert [row.pk for row in answer.context["cl"].result_list] == [bad.pk]
        assert "then bounced" in answer.content.decode()
    pages = [
        reverse("admin:notifier_delivery_change", args=[bad.pk]),
        reverse("admin:notifier_event_change", args=[event.pk]),
    ]
    for page in pages:
        text = client.get(page).content.decode()
        assert "then bounced" in text
        assert "o such address" in text
