"""A push reaches each of a person's devices once; those that are gone are dropped, and the others go on."""

import json
import logging

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from lambdas import _push_endpoints, _push_payload, push
from notifier.channels.message import Message
from notifier.deliveries.fanout import fan_out
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.local.cloud import REGION
from notifier.models import Delivery, Device, DevicePush
from tests.support.builders import make_audience, make_delivery, make_device, make_event, make_user
from tests.support.functions import bodies_for, invoke, let_time_pass, sweep

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]
ERROR = "<ErrorResponse><Error><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>"
TOKEN = "the-token-of-a-device"


@pytest.fixture
def send(gate):
    """``send(user, …)`` through a session of its own, past the gate."""

    def send(user, **values):
        message = make(user, **values)
        with push.open_session() as sns:
            return push.send(message, sns)

    return send


def make(user=None, *, delivery=7, attempt=1, recipient="", **parts):
    parts = {"subject": "Title", "text": "Text"} | parts
    recipient = recipient or (f"user:{user.pk}" if user else "")
    return Message(delivery=delivery, attempt=attempt, address="", recipient=recipient, **parts)


def refuse(gate, code, words="", *, action="Publish", status=400, nth=1, times=1):
    gate.answer(
        action, status=status, body=ERROR.format(code, words), content_type="text/xml", nth=nth, times=times
    )


def endpoints():
    return sns_backends[DEFAULT_ACCOUNT_ID][REGION].platform_endpoints


def tokens(cloud):
    """Who got something, by token, as often as they did."""
    return sorted(
        token for endpoint in endpoints().values() for token in [endpoint.token] * len(endpoint.messages)
    )


def test_all_devices_of_a_person_get_it_and_nobody_elses(cloud, send):
    user = make_user()
    for platform in Device.Platform.values:
        make_device(user=user, platform=platform, token=f"mine-{platform}")
    make_device(token="another's")
    make_device(user=user, token="off", enabled=False)
    first = send(user)
    assert tokens(cloud) == ["mine-apns", "mine-apns_sandbox", "mine-fcm"]
    assert {(message.channel, message.subject, message.text) for message in cloud.outbox()} == {
        ("push", "Title", "Text")
    }
    assert first in {message.provider_id for message in cloud.outbox()}


def test_an_endpoint_is_made_once_and_kept(gate, send):
    device = make_device()
    send(device.user)
    send(device.user, delivery=8)
    device.refresh_from_db()
    assert list(endpoints()) == [device.endpoint_arn]
    assert (gate.count("CreatePlatformEndpoint"), gate.count("Publish")) == (1, 2)


def test_an_endpoint_that_is_there_with_other_attributes_is_taken_over_and_switched_on(cloud, send):
    """https://docs.aws.amazon.com/sns/latest/dg/mobile-platform-endpoint.html"""
    device = make_device(token=TOKEN)
    sns = boto3.client("sns")
    arn = sns.create_platform_endpoint(
        PlatformApplicationArn=push.applications()["GCM"], Token=TOKEN, CustomUserData="of another program"
    )["EndpointArn"]
    sns.set_endpoint_attributes(EndpointArn=arn, Attributes={"Enabled": "false"})
    send(device.user)
    device.refresh_from_db()
    assert (device.endpoint_arn, tokens(cloud)) == (arn, [TOKEN])


DEVICE_ENDS = [
    # what SNS says, in which words, to what
    ("EndpointDisabled", "Endpoint is disabled", "Publish"),
    ("EndpointDisabledException", "Endpoint is disabled", "Publish"),
    (
        "InvalidParameter",
        "Invalid parameter: Token Reason: iOS device tokens must be hexadecimal",
        "CreatePlatformEndpoint",
    ),
]


@pytest.mark.parametrize(("code", "words", "action"), DEVICE_ENDS)
def test_a_device_that_is_gone_is_switched_off_and_the_others_go_on(cloud, gate, send, code, words, action):
    gone = make_device(token="gone")
    make_device(user=gone.user, token="there")
    refuse(gate, code, words, action=action)
    assert send(gone.user)
    gone.refresh_from_db()
    assert (gone.enabled, gone.endpoint_arn) == (False, "")
    assert tokens(cloud) == ["there"]
    assert [endpoint.token for endpoint in endpoints().values()] == ["there"], "its endpoint was left in SNS"


def test_moto_itself_refuses_a_disabled_endpoint(cloud, send):
    device = make_device()
    send(device.user)
    device.refresh_from_db()
    boto3.client("sns").set_endpoint_attributes(
        EndpointArn=device.endpoint_arn, Attributes={"Enabled": "false"}
    )
    with pytest.raises(Skipped) as caught:
        send(device.user, delivery=8)
    assert caught.value.reason == "no_device"
    assert not Device.objects.filter(enabled=True).exists()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("NotFound", ""),
        ("InvalidParameter", "TargetArn Reason: No endpoint found for the target arn specified"),
    ],
)
def test_an_endpoint_that_sns_has_no_more_is_made_anew_at_the_next_attempt(cloud, gate, send, code, words):
    device = make_device()
    refuse(gate, code, words)
    with pytest.raises(TryAgain) as caught:
        send(device.user)
    assert caught.value.reason == "endpoint_lost"
    assert send(device.user, attempt=2)
    assert tokens(cloud) == [device.token]


ANSWERS = [
    # SNS's code, its status, what it is for us, reason
    ("InvalidParameter", 400, Rejected, "refused"),
    ("PlatformApplicationDisabled", 400, Rejected, "not_configured"),  # its key was revoked
    ("AuthorizationError", 403, Rejected, "unauthorized"),
    ("InvalidClientTokenId", 403, Rejected, "unauthorized"),
    ("ExpiredToken", 403, TryAgain, "credentials_expired"),
    ("Throttled", 429, TryAgain, "throttled"),
    ("ThrottlingException", 400, TryAgain, "throttled"),
    ("InternalError", 500, OutcomeUnknown, "provider_failed"),
    ("SomethingNew", 400, Rejected, "refused"),
]


@pytest.mark.parametrize(("code", "status", "kind", "reason"), ANSWERS)
def test_each_answer_becomes_ours(gate, send, code, status, kind, reason):
    device = make_device()
    refuse(gate, code, status=status)
    with pytest.raises(kind) as caught:
        send(device.user)
    assert (type(caught.value), caught.value.reason, caught.value.detail) == (
        kind,
        reason,
        f"SNS answered {code}.",
    )
    device.refresh_from_db()
    assert (device.enabled, gate.count("Publish")) == (True, 1)


def test_who_has_no_device_and_who_is_no_user_is_skipped(gate, send):
    with pytest.raises(Skipped) as caught:
        send(make_user())
    assert caught.value.reason == "no_device"
    with push.open_session() as sns, pytest.raises(Skipped) as caught:
        push.send(make(recipient="address:somebody"), sns)
    assert caught.value.reason == "invalid_address"
    assert gate.calls == []


@pytest.mark.parametrize("arns", ["", "nonsense", "arn:aws:sns:us-east-1:123456789012:app/APNS/shop"])
def test_a_platform_without_an_application_is_said_and_nothing_is_asked(gate, send, monkeypatch, arns):
    monkeypatch.setenv("PUSH_APPLICATIONS", arns)
    device = make_device(platform="fcm")
    with pytest.raises(Rejected, match="PUSH_APPLICATIONS names no application of GCM") as caught:
        send(device.user)
    assert (caught.value.reason, gate.calls) == ("not_configured", [])


# Several devices, and attempts


@pytest.mark.django_db(transaction=True)
def test_a_device_that_has_it_does_not_get_it_again_while_another_is_tried(cloud, gate):
    user = make_user()
    for name in ("a", "b", "c"):
        make_device(user=user, token=name)
    delivery = make_delivery(channel="push", recipient=f"user:{user.pk}", address=str(user.pk))
    refuse(gate, "Throttled", status=429, nth=2, times=2)  # b, and b again
    seen = []
    for status in ("waiting", "waiting", "sent"):
        invoke("push", *bodies_for("push", [delivery.pk]))
        delivery.refresh_from_db()
        assert delivery.status == status
        seen.append(tokens(cloud))
        let_time_pass()
        sweep()
    assert seen == [["a"], ["a"], ["a", "b", "c"]]


def test_once_one_device_has_it_the_others_are_not_tried_for_ever(cloud, gate, send):
    user = make_user()
    had, throttled = make_device(user=user, token="a"), make_device(user=user, token="b")
    DevicePush.objects.create(delivery=7, device=had, provider_id="the-id")
    refuse(gate, "Throttled", status=429, times=9)
    with pytest.raises(TryAgain):
        send(user, attempt=push.MAX_PARTIAL_ATTEMPTS - 1)
    assert send(user, attempt=push.MAX_PARTIAL_ATTEMPTS) == "the-id"
    had.delete()
    with pytest.raises(TryAgain):  # nobody has it
        send(throttled.user, attempt=push.MAX_PARTIAL_ATTEMPTS)


def test_where_all_took_it_nothing_is_written_down(send):
    device = make_device()
    send(device.user)
    assert not DevicePush.objects.exists()


def test_while_sns_does_not_answer_nobody_waits_for_it_once_a_device(gate, send):
    user = make_user()
    for _ in range(3):
        make_device(user=user)
    gate.cut("Publish", times=9)
    with pytest.raises(OutcomeUnknown):
        send(user)
    assert gate.count("Publish") == 1


def test_a_person_without_a_device_is_skipped_at_the_fan_out_and_nobody_is_rung_for(cloud):
    with_one, without = make_device().user, make_user()
    event = make_event(
        contents={"push": {"text": "{{ title }}"}}, audiences=[make_audience(users=[with_one, without])]
    )
    fan_out(event.pk, lease_seconds=900)
    found = {row.recipient: (row.status, row.reason) for row in Delivery.objects.all()}
    assert found == {f"user:{with_one.pk}": ("queued", ""), f"user:{without.pk}": ("skipped", "no_device")}


# The payload


@pytest.mark.parametrize("key", _push_endpoints.KEYS.values())
@pytest.mark.parametrize(
    "text",
    [
        "Text",
        "x" * 5_000,
        "ü" * 5_000,
        "😀" * 5_000,
        '"\\' * 5_000,
        "\n" * 5_000 + "x",
        "a\ud800b" * 3_000,
        "",
    ],
)
def test_a_payload_fits_is_json_and_ends_in_an_ellipsis_where_it_was_cut(key, text):
    payload = _push_payload.payload_of(
        key, make(subject="Title" * 100, text=text, link="https://shop.example.com/" + "ü" * 300, icon="bell")
    )
    found = json.loads(payload)
    assert len(payload.encode()) <= _push_payload.MAX_BYTES
    body = (
        found["fcmV1Message"]["message"]["notification"]["body"]
        if key == "GCM"
        else found["aps"]["alert"]["body"]
    )
    if len(text) > 100:
        assert body.endswith("…") or body == "x"
        assert len(payload.encode()) > _push_payload.MAX_BYTES - 20 or body == "x", "more would have fitted"
    else:
        assert body == text


def test_title_text_link_and_icon_arrive_in_each_platforms_own_shape(cloud, send):
    user = make_user()
    for platform in ("fcm", "apns"):
        make_device(user=user, platform=platform)
    send(user, subject="Sale", text="30% off", link="https://shop.example.com/linen", icon="tag")
    found = [
        json.loads(message) for endpoint in endpoints().values() for message in endpoint.messages.values()
    ]
    data = {"delivery": "7", "link": "https://shop.example.com/linen", "icon": "tag"}
    assert [each.keys() for each in found] == [{"default", "GCM"}, {"default", "APNS"}]
    assert json.loads(found[0]["GCM"])["fcmV1Message"]["message"] == {
        "notification": {"title": "Sale", "body": "30% off"},
        "data": data,
        "android": {"priority": "high", "notification": {"tag": "delivery-7"}},
    }
    assert json.loads(found[1]["APNS"]) == {
        "aps": {"alert": {"title": "Sale", "body": "30% off"}, "sound": "default"},
        **data,
    }


def test_a_phone_that_was_off_for_a_day_gets_it_no_more_and_a_second_copy_replaces_the_first(gate, send):
    device = make_device(platform="apns_sandbox")
    send(device.user)
    (call,) = [call for call in gate.calls if call.action == "Publish"]
    attributes = {
        call.form[f"MessageAttributes.entry.{number}.Name"]: call.form[
            f"MessageAttributes.entry.{number}.Value.StringValue"
        ]
        for number in (1, 2, 3)
    }
    assert attributes == {
        "AWS.SNS.MOBILE.APNS_SANDBOX.TTL": "86400",
        "AWS.SNS.MOBILE.APNS.PUSH_TYPE": "alert",
        "AWS.SNS.MOBILE.APNS.COLLAPSE_ID": "delivery-7",
    }


PROBLEMS = [
    # parts, words of what is said, whether it would be refused
    ({"text": "Text"}, "", False),
    ({"subject": "", "text": " "}, "empty", True),
    ({"text": "x" * 5_000}, "the end of the text is cut off", False),
    ({"subject": "x" * 151}, "The title is cut off", False),
    ({"link": "https://example.com/" + "x" * 1_000}, "is left out", False),
]


@pytest.mark.parametrize(("parts", "words", "is_error"), PROBLEMS)
def test_what_phones_will_make_of_it_is_said(parts, words, is_error):
    problems = push.examine(make(**parts)).problems
    assert [(words in each.text, each.is_error) for each in problems] == ([(True, is_error)] if words else [])


def test_neither_log_nor_error_holds_the_token_or_the_text(gate, send, caplog):
    caplog.set_level(logging.DEBUG)
    device = make_device(token=TOKEN)
    send(device.user, text="Of nobody's business")
    for code, words in (("InvalidParameter", f"Invalid: {TOKEN}"), ("EndpointDisabled", TOKEN)):
        refuse(gate, code, words)
        with pytest.raises((Rejected, Skipped)) as caught:
            send(device.user, text="Of nobody's business")
        assert TOKEN not in str(caught.value)
    records = [
        each.getMessage() for each in caplog.records if not each.name.startswith(("django.db", "werkzeug"))
    ]
    assert records
    assert not [text for text in records if TOKEN in text or "nobody" in text]
