"""Text as every column holds it, and that every way in cleans it or refuses it."""

import pytest
from django.core.exceptions import ValidationError

from notifier.channels.recipient import Recipient, normalise
from notifier.channels.storable import is_storable, storable
from notifier.exceptions import SignalRegistrationError, TemplateRefused
from notifier.feedback.recording import record
from notifier.feedback.reports import Report
from notifier.models import Delivery, Feedback, Suppression, Template, TemplateContent
from notifier.people import suppression
from notifier.testing import capture_notifications
from tests.support.builders import make_audience, make_delivery, make_trigger, make_user
from tests.support.observing import register

TEXTS = [
    # a text, what a column holds of it
    ("", ""),
    ("plain", "plain"),
    ("ü 👩‍👩‍👧", "ü 👩‍👩‍👧"),
    ("a\0b", "ab"),
    ("report-\udcff.pdf", "report-?.pdf"),
    ("\ud83d\ude00", "??"),  # two halves are no pair
    ("\0", ""),
    ("ü\0\ud800", "ü?"),
    ("\x01\x1f\x7f", "\x01\x1f\x7f"),  # PostgreSQL takes these
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_a_text_is_what_a_column_holds(text, expected):
    assert storable(text) == expected
    assert is_storable(text) is (text == expected)
    assert storable(text, 2) == expected[:2]


ADDRESSES = ["a\0da@example.com", "ad\udfffa@example.com", "https://x.org/\0\udfff"]


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES, ids=["nul", "surrogate", "url"])
def test_an_address_is_clean_wherever_it_comes_from(address, request):
    assert is_storable(normalise(address))
    assert is_storable(str(Recipient.of_address(address)))
    suppression.suppress("email", address, Suppression.Reason.BOUNCED, "said \0\udfff")
    assert suppression.find("email", address).detail == "said ?"
    name = f"address-{request.node.callspec.id}"[:100].encode("ascii", "replace").decode()
    signal = register(name, args=["to"])
    make_trigger(
        verb=name,
        model="",
        contents={"email": {"text": "-"}},
        audiences=[make_audience(paths="email: to")],
    )
    with capture_notifications():
        signal.send(sender=None, to=address)
    delivery = Delivery.objects.get()
    assert is_storable(delivery.address)
    assert is_storable(delivery.recipient)


@pytest.mark.django_db
def test_what_a_provider_says_is_asked_for_and_stored_without_a_fault():
    row = make_delivery(status="sent", provider_id="id?", attempts=1)
    now = row.created_at
    report = Report(
        channel="email", kind="bounced", key="k\0\udfff", message_id="id\udfff", happened_at=now, sent_at=now,
        addresses=(f"{row.address}\0",), delivery_id=row.pk, detail="went \0wrong \udfff",
    )  # fmt: skip
    record(report)
    found = Feedback.objects.get()
    assert (found.detail, found.message_id, found.key) == ("went wrong ?", "id?", "k?")
    assert record(report) is None


@pytest.mark.parametrize("name", ["", "a\0", "a\udfff", "x" * 101, 7])
def test_a_signal_has_a_name_that_a_column_holds(name):
    with pytest.raises(SignalRegistrationError, match="is no name"):
        register(name)


@pytest.mark.django_db
@pytest.mark.parametrize("part", ["subject", "text", "html", "link", "icon"])
@pytest.mark.parametrize("source", ["a\0", "a\udfff"])
def test_a_template_that_no_column_holds_is_refused_when_it_is_saved(part, source):
    content = TemplateContent(
        template=Template.objects.create(name="news"), channel="inbox", **{"text": "-"} | {part: source}
    )
    with pytest.raises(TemplateRefused, match="no database can hold"):
        content.save()
    with pytest.raises(ValidationError, match="no database can hold|Null characters"):
        content.full_clean()


@pytest.mark.django_db
@pytest.mark.parametrize("term", ["%00", "a%00b", "%ED%BF%BF"])
def test_a_search_for_such_a_text_finds_nothing_and_is_no_fault(admin_client, term):
    make_user()
    for page in "why/people", "event", "delivery":
        assert admin_client.get(f"/admin/notifier/{page}/?q={term}").status_code in (200, 302, 404)
