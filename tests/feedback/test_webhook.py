"""The webhook believes SNS alone, about our topic alone: real signatures, and what is forged in any way
stores nothing.
"""

import base64
import datetime as dt
import json
import time

import pytest
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from django.test import override_settings
from django.utils import timezone

from notifier import deliveries
from notifier.feedback import sns
from notifier.models import Feedback, Suppression
from tests.feedback.events import MESSAGE_ID, about, bounce
from tests.support.builders import make_delivery

TOPIC = "arn:aws:sns:us-east-1:123456789012:notifier-feedback"
HOST = "https://sns.us-east-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123456789abcdef.pem"
OLD, FOREIGN, CURVED, NOISE, MOVED, AWAY = (
    CERTIFICATE.replace("0123", each) for each in ("1", "2", "3", "4", "5", "6")
)
URL = "/feedback/ses/"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())

pytestmark = [pytest.mark.one_database, pytest.mark.django_db, pytest.mark.urls("tests.feedback.urls")]


def make_certificate(key=KEY, *, name="sns.amazonaws.com", days=(-1, 1)):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begin, end = (dt.datetime.now(dt.UTC) + dt.timedelta(days=number) for number in days)
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    built = built.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(autouse=True)
def amazon(settings):
    """What answers at SNS's own host."""
    settings.NOTIFIER = settings.NOTIFIER | {"FEEDBACK_TOPIC_ARN": TOPIC}
    sns._asked.clear()
    sns._kept.clear()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as stand_in:
        stand_in.get(CERTIFICATE, body=make_certificate())
        stand_in.get(OLD, body=make_certificate(days=(-9, -1)))
        stand_in.get(FOREIGN, body=make_certificate(name="sns.evil.example"))
        stand_in.get(CURVED, body=make_certificate(CURVE))
        stand_in.get(NOISE, body=b"no certificate")
        stand_in.get(MOVED, status=302, headers={"Location": CERTIFICATE})
        stand_in.get(f"{HOST}/", body="<ConfirmSubscriptionResponse/>")
        yield stand_in


@pytest.fixture
def row():
    made = make_delivery()
    (work,) = deliveries.claim_deliveries([made.pk], channel="email", lease_seconds=900)
    policy = deliveries.Policy(at_most_once=False, horizon=dt.timedelta(hours=1))
    deliveries.record_answers([(work, MESSAGE_ID)], policy)
    return made


def signed(message, key=KEY, algorithm=None):
    names = [name for name in sns.SIGNED.get(message["Type"], ()) if name in message]
    text = "".join(f"{name}\n{message[name]}\n" for name in names).encode()
    signature = key.sign(text, padding.PKCS1v15(), algorithm or hashes.SHA256())
    return message | {"Signature": base64.b64encode(signature).decode()}


def notification(row, **changed):
    """As SNS would post it, signed."""
    return signed(
        {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Subject": "Amazon SES Email Event Notification",
            "Message": json.dumps(about(bounce("Permanent", "General"), row)),
            "Timestamp": timezone.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE,
            "UnsubscribeURL": f"{HOST}/?Action=Unsubscribe&SubscriptionArn={TOPIC}:1",
        }
        | changed
    )


def confirmation(**changed):
    return signed(
        {
            "Type": "SubscriptionConfirmation",
            "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
            "Token": "2336412f37",
            "TopicArn": TOPIC,
            "Message": "You have chosen to subscribe to the topic.",
            "SubscribeURL": f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37",
            "Timestamp": timezone.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE,
        }
        | changed
    )


def post(client, message, content_type="text/plain; charset=UTF-8"):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return client.generic("POST", URL, body, content_type=content_type).status_code


def test_a_bounce_that_sns_signed_is_stored_once_however_often_it_is_posted(client, row, amazon):
    message = notification(row)
    assert [post(client, message) for _ in range(3)] == [204] * 3
    assert Feedback.objects.count() == Suppression.objects.count() == 1
    assert len(amazon.calls) == 1, "the certificate is kept"


def test_a_message_without_a_subject_is_signed_without_it(client, row):
    message = notification(row)
    del message["Subject"]
    assert post(client, signed(message)) == 204
    assert Feedback.objects.exists()


def test_that_nothing_more_comes_is_no_forgery_and_is_not_undone(client, amazon, caplog):
    assert post(client, confirmation(Type="UnsubscribeConfirmation")) == 204
    assert [call.request.url for call in amazon.calls] == [CERTIFICATE], "nobody subscribes again"
    assert "has unsubscribed" in caplog.text
    forged = confirmation(Type="UnsubscribeConfirmation") | {"Message": "another"}
    assert post(client, forged) == 403


def at(**ago):
    return (timezone.now() - dt.timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


ELSEWHERE = [
    # addresses that are not SNS's, or not in the topic's region, or may be read otherwise by somebody
    CERTIFICATE.replace("https", "http"),
    CERTIFICATE.replace("amazonaws.com", "amazonaws.com.evil.example"),
    CERTIFICATE.replace("amazonaws.com", "amazonaws.co"),
    CERTIFICATE.replace("sns.us-east-1", "sns-us-east-1"),
    CERTIFICATE.replace("us-east-1", "eu-west-1"),
    CERTIFICATE.replace("sns.", "evil.sns."),
    CERTIFICATE.replace("sns.", "s3."),
    CERTIFICATE.replace("sns.", "evilsns."),
    CERTIFICATE.replace("https://", "https://evil.example#"),
    CERTIFICATE.replace("https://", "https://evil.example/"),
    CERTIFICATE.replace("https://", "https://user@"),
    CERTIFICATE.replace("https://sns", "https://evil.example\\@sns"),
    CERTIFICATE.replace(".com/", ".com:8443/"),
    CERTIFICATE.replace(".com/", ".com:/"),
    CERTIFICATE.replace(".com/", ".com./"),
    CERTIFICATE.replace("amazonaws", "ämazonaws"),
    CERTIFICATE.replace(".pem", ".pem?x=1"),
    CERTIFICATE.replace(".pem", ".pem#x"),
    CERTIFICATE.replace(".pem", ".txt"),
    CERTIFICATE.replace("/Simple", "/bucket/Simple"),
    CERTIFICATE.replace("/Simple", "/../Simple"),
    CERTIFICATE + "\n",
    " " + CERTIFICATE,
    "https://[::1",
    "file:///etc/passwd",
    "",
]
FORGED = {
    # how it is forged → the message that is posted
    "version 1, as SNS signs by default": lambda row: signed(
        notification(row, SignatureVersion="1"), algorithm=hashes.SHA1()
    ),
    "version 1 by name alone": lambda row: notification(row, SignatureVersion="1"),
    "SHA-1 under the name of version 2": lambda row: signed(notification(row), algorithm=hashes.SHA1()),
    "another key": lambda row: signed(
        notification(row), rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ),
    "another topic": lambda row: notification(row, TopicArn=TOPIC + "-mine"),
    "another account": lambda row: notification(row, TopicArn=TOPIC.replace("123456789012", "999999999999")),
    "a changed message": lambda row: notification(row) | {"Message": "{}"},
    "a changed subject": lambda row: notification(row) | {"Subject": "x"},
    "a changed id": lambda row: notification(row) | {"MessageId": "x"},
    "a changed time": lambda row: notification(row) | {"Timestamp": at(minutes=1)},
    "no subject any more": lambda row: {
        name: value for name, value in notification(row).items() if name != "Subject"
    },
    "an unsigned field more": lambda row: notification(row) | {"MessageAttributes": "{}"},
    "the command of Zappa": lambda row: notification(row) | {"command": "x"},
    "a field less": lambda row: {
        name: value for name, value in notification(row).items() if name != "MessageId"
    },
    "a field that is no text": lambda row: notification(row) | {"Subject": 1},
    "no signature": lambda row: notification(row) | {"Signature": ""},
    "a signature that is no base64": lambda row: notification(row) | {"Signature": "ä!"},
    "an old one": lambda row: notification(row, Timestamp=at(hours=8)),
    "one from the future": lambda row: notification(row, Timestamp=at(hours=-1)),
    "one without a time": lambda row: notification(row, Timestamp="yesterday"),
    "one of an impossible time": lambda row: notification(row, Timestamp="2026-13-45T00:00:00Z"),
    "another type": lambda row: notification(row, Type="UnsubscribeConfirmation"),
    "the fields of one type under the name of another": lambda row: (
        notification(row) | {"Type": "SubscriptionConfirmation"}
    ),
    "a certificate that has expired": lambda row: notification(row, SigningCertURL=OLD),
    "a certificate of somebody else": lambda row: notification(row, SigningCertURL=FOREIGN),
    "a certificate of another kind of key": lambda row: notification(row, SigningCertURL=CURVED),
    "a certificate that is none": lambda row: notification(row, SigningCertURL=NOISE),
    "text that is not JSON": lambda row: b"Message=x",
    "bytes that are no text": lambda row: b"\xff\xfe{}",
    "a list": lambda row: [],
    "a blank": lambda row: b" ",
    "brackets": lambda row: b"[" * 100_000,
    "a half of a surrogate pair": lambda row: json.dumps(notification(row) | {"Subject": "\ud800"}).encode(),
    **{
        f"the certificate is at {url!r}": lambda row, url=url: notification(row, SigningCertURL=url)
        for url in ELSEWHERE
    },
}


@pytest.mark.parametrize("name", FORGED)
def test_what_is_forged_is_refused_and_nothing_is_stored_or_fetched_from_elsewhere(client, row, amazon, name):
    assert post(client, FORGED[name](row)) == 403
    assert not Feedback.objects.exists()
    assert not Suppression.objects.exists()
    assert {call.request.url.partition("/Simple")[0] for call in amazon.calls} <= {HOST}


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("application/x-www-form-urlencoded", b"a=b", 415),
        ("text/plain", b" " * (1024 * 1024 + 1), 413),
    ],
)
def test_another_content_type_and_too_much_are_refused_unread(client, content_type, body, status):
    assert client.post(URL, body, content_type=content_type).status_code == status


def test_other_methods_are_refused_and_without_a_topic_there_is_nothing(client, row, settings):
    assert client.get(URL).status_code == 405
    with override_settings(NOTIFIER=settings.NOTIFIER | {"FEEDBACK_TOPIC_ARN": ""}):
        assert post(client, notification(row)) == 404


# Who may make this site ask SNS.


def made_up(number):
    return f"{HOST}/SimpleNotificationService-{number:064d}.pem"


@pytest.mark.parametrize("urls", [lambda n: made_up(n), lambda n: made_up(0)], ids=["many names", "one name"])
@pytest.mark.parametrize(
    "answer", [{"status": 404}, {"body": b"no certificate"}, {"body": make_certificate(CURVE)}]
)
def test_a_forger_makes_it_ask_a_few_times_a_minute_and_no_more(client, row, amazon, urls, answer):
    for number in range(40):
        amazon.upsert("GET", urls(number), **answer)
        assert post(client, notification(row, SigningCertURL=urls(number))) in (403, 503)
    assert len(amazon.calls) <= sns.MOST_ASKED


def test_the_certificate_that_is_kept_goes_on_meanwhile_whatever_a_forger_names(client, row, amazon):
    assert post(client, notification(row)) == 204
    for number, url in enumerate([OLD, FOREIGN, NOISE, CURVED, *map(made_up, range(20))]):
        amazon.upsert("GET", made_up(number), status=404)
        post(client, notification(row, SigningCertURL=url))
    assert post(client, notification(row)) == 204
    assert [call.request.url for call in amazon.calls].count(CERTIFICATE) == 1


def test_a_minute_later_it_asks_again(client, row, amazon, monkeypatch):
    for number in range(sns.MOST_ASKED):
        amazon.get(made_up(number), status=404)
        post(client, notification(row, SigningCertURL=made_up(number)))
    assert post(client, notification(row)) == 503
    now = time.monotonic()
    monkeypatch.setattr(sns.time, "monotonic", lambda: now + sns.ASKED_SECONDS)
    assert post(client, notification(row)) == 204


@pytest.mark.parametrize("url", [MOVED, AWAY])
def test_when_sns_cannot_be_asked_for_its_certificate_the_message_comes_again(client, row, url):
    assert post(client, notification(row, SigningCertURL=url)) == 503
    assert not Feedback.objects.exists()


def test_a_message_of_our_topic_that_is_no_event_is_refused(client, row):
    assert post(client, notification(row, Message="hello")) == 400


def test_a_subscription_to_our_topic_is_confirmed_at_sns(client, amazon):
    assert post(client, confirmation()) == 204
    (confirmed,) = [call.request.url for call in amazon.calls if "ConfirmSubscription" in call.request.url]
    assert confirmed.startswith(f"{HOST}/?")


@pytest.mark.parametrize(
    "changed",
    [
        {"SubscribeURL": f"https://evil.example/?Action=ConfirmSubscription&TopicArn={TOPIC}"},
        {"SubscribeURL": f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}-mine"},
        {"SubscribeURL": f"{HOST}/?Action=DeleteTopic&TopicArn={TOPIC}"},
        {"SubscribeURL": f"{HOST}/?Action=DeleteTopic&Action=ConfirmSubscription&TopicArn={TOPIC}"},
        {"SubscribeURL": f"{HOST}/else?Action=ConfirmSubscription&TopicArn={TOPIC}"},
        {"TopicArn": TOPIC + "-mine"},
    ],
)
def test_no_other_subscription_is_confirmed(client, amazon, changed):
    assert post(client, confirmation(**changed)) == 403
    assert [call for call in amazon.calls if ".pem" not in call.request.url] == []


def test_the_project_has_no_webhook_unless_it_names_a_topic(settings):
    assert settings.FEEDBACK_TOPIC_ARN == ""
