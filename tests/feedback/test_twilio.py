"""What Twilio says later of an SMS that it had taken: believed when the account's token has signed it, stored
once, and the next channel goes.
"""

import random
from urllib.parse import urlencode

import pytest
from django.http import QueryDict

from notifier import deliveries
from notifier.feedback import twilio as product
from notifier.models import ContactPoint, Delivery, Feedback, Gauge, Suppression
from tests.lambdas.twilio import TOKEN, at_twilio, sign
from tests.support.builders import make_delivery, make_user
from tests.support.flowing import by_channel, fan_out, flowing_event
from tests.support.functions import bodies_for, invoke

pytestmark = [
    pytest.mark.one_database,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.feedback.urls"),
    pytest.mark.usefixtures("rings_nowhere"),
]
BASE_URL = "https://shop.example.com"
NUMBER = "+12065550123"


@pytest.fixture
def twilio(monkeypatch, settings):
    settings.NOTIFIER = settings.NOTIFIER | {"BASE_URL": BASE_URL}
    with at_twilio(monkeypatch) as stand_in:
        yield stand_in


def sent(**values):
    row = make_delivery(channel="sms", address=NUMBER, **values)
    assert invoke("sms", *bodies_for("sms", [row.pk])) == []
    row.refresh_from_db()
    assert row.status == "sent"
    return row


def post(client, url, form, signature, *, content_type="application/x-www-form-urlencoded"):
    path = url.removeprefix(BASE_URL)
    answer = client.generic(
        "POST",
        path,
        urlencode(form),
        content_type=content_type,
        headers={"X-Twilio-Signature": signature},
        secure=True,
    )
    return answer.status_code


def state(row):
    row.refresh_from_db()
    return row.status, row.returned, list(Suppression.objects.values_list("reason", flat=True))


STATUSES = [
    # the status, its error, what is stored, what stands on the delivery, why the number is suppressed
    ("delivered", None, "delivered", "", []),
    ("read", None, "delivered", "", []),
    ("undelivered", 21610, "refused", "refused", ["opted_out"]),  # STOP
    ("failed", 21610, "refused", "refused", ["opted_out"]),
    ("undelivered", 30003, "bounced", "bounced", []),  # switched off
    ("undelivered", 30005, "bounced", "bounced", ["bounced"]),  # nobody's any more
    ("undelivered", 30006, "bounced", "bounced", ["bounced"]),  # a landline
    ("undelivered", 30007, "refused", "refused", []),  # filtered: the text's fault
    ("failed", 30008, "bounced", "bounced", []),
    ("failed", 30002, "refused", "refused", []),  # the account's
    ("failed", 30034, "refused", "refused", []),
    ("failed", 39999, "bounced", "bounced", []),  # of next year
    ("failed", "GEHEIM", "bounced", "bounced", []),
    ("failed", None, "bounced", "bounced", []),
    ("canceled", None, "refused", "refused", []),
]


@pytest.mark.parametrize(("status", "code", "kind", "returned", "reasons"), STATUSES)
def test_each_status_that_twilio_has_signed_is_stored_once_at_its_delivery(
    client, twilio, status, code, kind, returned, reasons
):
    row = sent()
    asked = twilio.status_of(0, status, code=code)
    assert [post(client, *asked) for _ in range(3)] == [204] * 3
    assert state(row) == ("sent", returned, reasons)
    heard = Feedback.objects.get()
    assert (heard.kind, "GEHEIM" in heard.detail, NUMBER[2:] in heard.detail) == (kind, False, False)
    is_accounts = code in (30002, 30034)
    assert Gauge.objects.filter(name="account.sms").exists() == is_accounts


@pytest.mark.parametrize("status", ["accepted", "queued", "scheduled", "sending", "sent", "of-next-year", ""])
def test_a_status_that_says_nothing_yet_or_nobody_knows_is_taken_and_nothing_is_kept(
    client, twilio, status, caplog
):
    row = sent()
    assert post(client, *twilio.status_of(0, status)) == 204
    assert (state(row), Feedback.objects.count()) == (("sent", "", []), 0)
    assert NUMBER[2:] not in caplog.text


def test_statuses_come_in_any_order(client, twilio):
    for seed in range(5):
        row = sent()
        position = len(twilio.messages) - 1
        said = [("queued", None), ("sent", None), ("undelivered", 30007), ("sending", None)] * 2
        random.Random(seed).shuffle(said)
        for status, code in said:
            assert post(client, *twilio.status_of(position, status, code=code)) == 204
        assert state(row)[:2] == ("sent", "refused")
        assert row.feedback.count() == 1


def test_a_status_that_is_faster_than_the_commit_of_twilios_answer_is_believed(client, twilio):
    row = make_delivery(channel="sms", address=NUMBER)
    (work,) = deliveries.claim_deliveries([row.pk], channel="sms", lease_seconds=900)
    deliveries.mark_sending([work])
    twilio.messages.append({"To": NUMBER, "StatusCallback": product.status_url(row.pk)})
    assert post(client, *twilio.status_of(0, "undelivered", code=30003)) == 204
    deliveries.record_answers([(work, f"SM{1:032x}")], deliveries.Policy(at_most_once=True, horizon=None))
    assert state(row)[:2] == ("sent", "bounced")


@pytest.mark.parametrize(
    ("status", "code", "returned"), [("delivered", None, ""), ("undelivered", 30003, "bounced")]
)
def test_an_sms_whose_answer_was_lost_is_known_to_be_sent_once_twilio_speaks_of_it(
    client, twilio, status, code, returned
):
    row = make_delivery(channel="sms", address=NUMBER)
    twilio.fail_next(503)
    invoke("sms", *bodies_for("sms", [row.pk]))
    assert state(row)[:2] == ("unknown", "")
    twilio.messages.append({"To": NUMBER, "StatusCallback": product.status_url(row.pk)})
    assert post(client, *twilio.status_of(0, status, code=code)) == 204
    assert (state(row)[:2], row.provider_id) == (("sent", returned), f"SM{1:032x}")


def test_where_one_channel_follows_the_other_the_next_goes_when_twilio_says_that_it_failed(client, twilio):
    user = make_user()
    ContactPoint.objects.create(user=user, channel="sms", address=NUMBER, verified=True)
    fan_out(flowing_event(channels=("sms", "email"), users=[user], order="first"))
    first = Delivery.objects.get(channel="sms")
    invoke("sms", *bodies_for("sms", [first.pk]))
    assert by_channel() == {"sms": "sent", "email": "standby"}
    assert post(client, *twilio.status_of(0, "sent")) == 204
    assert by_channel() == {"sms": "sent", "email": "standby"}
    assert post(client, *twilio.status_of(0, "undelivered", code=30006)) == 204
    assert by_channel() == {"sms": "sent", "email": "queued"}


FORGED = [
    # what somebody changes who has seen a good request
    ("no signature", lambda url, form, signature: (url, form, "")),
    ("another's token", lambda url, form, _: (url, form, sign(url, form, "another"))),
    ("another status", lambda url, form, signature: (url, form | {"MessageStatus": "delivered"}, signature)),
    ("a field more", lambda url, form, signature: (url, form | {"Extra": "1"}, signature)),
    ("another delivery", lambda url, form, signature: (url + "1", form, signature)),
    ("another page", lambda url, form, signature: (f"{url}&x=1", form, signature)),
    ("not ASCII", lambda url, form, signature: (url, form, "ä")),
]


@pytest.mark.parametrize(("name", "forge"), FORGED, ids=[name for name, _ in FORGED])
def test_what_the_token_has_not_signed_stores_nothing(client, twilio, name, forge):
    row = sent()
    assert post(client, *forge(*twilio.status_of(0, "undelivered", code=21610))) == 403
    assert (state(row), Feedback.objects.count()) == (("sent", "", []), 0)


def test_a_good_signature_is_believed_about_its_own_delivery_only(client, twilio):
    row, other = sent(), sent()
    url, form, _ = twilio.status_of(0, "undelivered", code=21610)
    for address, changed in (
        (product.status_url(other.pk), form),  # another's delivery
        (url, form | {"To": "+12065550199"}),  # another number
        (f"{BASE_URL}/feedback/twilio/?delivery=99999", form),
        (f"{BASE_URL}/feedback/twilio/?delivery=1%20OR%201", form | {"MessageSid": "SM9", "SmsSid": "SM9"}),
    ):
        assert post(client, address, changed, sign(address, changed)) == 204
    assert (state(row), state(other)[1]) == (("sent", "", []), "")


@pytest.mark.parametrize(
    ("variables", "token", "status"),
    [
        ({}, TOKEN, 204),
        # A key sends, and Twilio signs with the account's own token.
        ({"TWILIO_AUTH_TOKEN": "the key's secret", "TWILIO_WEBHOOK_TOKEN": TOKEN}, TOKEN, 204),
        ({"TWILIO_WEBHOOK_TOKEN": f"the-next,{TOKEN}\n"}, TOKEN, 204),  # while it is changed
        ({"TWILIO_WEBHOOK_TOKEN": f"the-next,{TOKEN}"}, "the-next", 204),
        ({"TWILIO_WEBHOOK_TOKEN": "the-next"}, TOKEN, 403),
        ({"TWILIO_AUTH_TOKEN": ""}, TOKEN, 404),  # a website that knows no token hears nothing
    ],
)
def test_the_token_that_signs_is_the_accounts(client, twilio, monkeypatch, variables, token, status):
    sent()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert post(client, *twilio.status_of(0, "delivered", token=token)) == status


@pytest.mark.parametrize(
    "signed_for",
    [
        "https://shop.example.com/feedback/twilio/?delivery={pk}",  # the site's own address
        "https://shop.example.com:443/feedback/twilio/?delivery={pk}",  # Twilio adds a port now and then
        "https://testserver/feedback/twilio/?delivery={pk}",  # that of the request: a site that has moved
    ],
)
def test_the_address_that_was_signed_is_found_whatever_stands_before_the_server(client, twilio, signed_for):
    row = sent()
    url, form, _ = twilio.status_of(0, "delivered")
    assert post(client, url, form, sign(signed_for.format(pk=row.pk), form)) == 204
    assert Feedback.objects.exists()


def test_only_a_form_of_a_sensible_size_is_read(client, twilio):
    sent()
    url, form, signature = twilio.status_of(0, "delivered")
    assert post(client, url, form, signature, content_type="application/json") == 415
    assert post(client, url, form | {"Body": "x" * 70_000}, signature) == 413
    assert client.get(url.removeprefix(BASE_URL)).status_code == 405
    assert not Feedback.objects.exists()


def test_the_signature_is_the_one_of_twilios_own_example():
    form = QueryDict(mutable=True)
    form.update(
        {
            "CallSid": "CA1234567890ABCDE",
            "Caller": "+14158675309",
            "Digits": "1234",
            "From": "+14158675309",
            "To": "+18005551212",
        }
    )
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert product.signature_of(url, form, "12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
