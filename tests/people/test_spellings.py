"""One address has one identity, however it is written: for audiences, suppressions, opt-outs, searches,
exports and erasing alike.
"""

from importlib import import_module
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse
from hypothesis import HealthCheck, given, settings, strategies as st

from notifier import explaining
from notifier.channels.recipient import Recipient, normalise
from notifier.gates.table import ask_final
from notifier.models import ContactPoint, Delivery, OptOut, Suppression
from notifier.operations import privacy
from notifier.people import addresses, opt_outs, spellings, suppression
from project.demo.models import Profile
from tests.support.builders import make_delivery, make_user
from tests.support.flowing import fan_out, flowing_event, make_category
from tests.support.sizes import full_or

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rings_nowhere")]

MAIL = [
    "ada@example.com",
    "Ada@Example.com",
    " ADA@EXAMPLE.COM ",
    "ada@example.com.",  # as DNS has it
    "ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ",  # full-width
]
IDN = [
    "ada@bücher.example",
    "ada@bu\u0308cher.example",  # NFD
    "Ada@BÜCHER.example",
    "ada@xn--bcher-kva.example",
    "ada@XN--BCHER-KVA.Example",
    "ada@bücher。example",  # an ideographic full stop
]
SHARP = ["ada@straße.example", "ada@xn--strae-oqa.example"]  # not strasse.example, which is somebody else's
NUMBER = [
    "+447400123401",
    "+44 7400 123401",
    "+44 (0) 7400-123.401",
    "0044 7400 123401",
    "00447400123401",
    "tel:+44-7400-123401",
    "TEL:+44 7400 123401",
    "+44 7400\u2011123401",  # a dash that does not break
    "\u202a+44 7400 123401\u202c",  # as it is copied from a list of contacts
    "+44\u00a07400\u00a0123401",
    "＋４４７４００１２３４０１",
    "+44\t7400/123401",
]
NAME = ["telegram:@Ada", "Telegram:@ada", "TELEGRAM:@ADA"]
URL = [
    "https://hooks.example.com/In?a=B",
    "https://Hooks.Example.COM/In?a=B",
    "HTTPS://hooks.example.com:443/In?a=B",
    "https://hooks.example.com./In?a=B",
]
IDN_URL = ["https://bücher.example/in", "https://xn--bcher-kva.example/in"]
ALIKE = [MAIL, IDN, SHARP, NUMBER, NAME, URL, IDN_URL]
APART = [
    ("ada@example.com", "ada@example.org"),
    ("ada@example.com", "a.da@example.com"),  # each server's own affair
    ("ada@example.com", "ada+news@example.com"),
    ("ada@straße.example", "ada@strasse.example"),
    ("straße@example.com", "strasse@example.com"),
    ("+447400123401", "447400123401"),  # by whom, nobody knows
    ("+447400123401", "07400123401"),
    ("007", "+7"),
    ("https://hooks.example.com/In", "https://hooks.example.com/in"),
    ("https://hooks.example.com/in", "http://hooks.example.com/in"),
    ("https://hooks.example.com:8443/in", "https://hooks.example.com/in"),
    ("https://Ann@hooks.example.com/in", "https://ann@hooks.example.com/in"),
]
PAIRS = [(group[0], other) for group in ALIKE for other in group]


@pytest.mark.parametrize("group", ALIKE, ids=lambda group: group[0])
def test_all_spellings_are_one(group):
    assert len(set(map(normalise, group))) == 1
    [one] = set(map(normalise, group))
    assert normalise(one) == one


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_is_another_stays_another(one, other):
    assert normalise(one) != normalise(other)


@pytest.mark.parametrize("mark", ["-", " ", "+", "0", "(0)", "\u200b", ":", "/", "@", "."])
def test_however_long_it_is_it_takes_no_time(mark):
    for text in (mark * 50_000, f"{mark * 50_000}x", f"+4{mark * 50_000}x", f"a@{mark * 50_000}"):
        normalise(text)


# What is asked of the database finds what `normalise` says


def written(texts):
    return {ContactPoint.objects.create(user=make_user(), channel="email", address=each).pk for each in texts}


@pytest.mark.parametrize("group", ALIKE, ids=lambda group: group[0])
def test_rows_are_found_by_any_spelling_of_any(group):
    others = [each[0] for each in ALIKE if each is not group]
    written(others)
    mine = written(group)
    for asked in group:
        found = spellings.find(ContactPoint.objects.all(), "address", [asked])
        assert ({row.pk for row, _ in found}, {address for _, address in found}) == (
            mine,
            {normalise(group[0])},
        )


TEXTS = st.text(alphabet=" \t.-()/+0047@aAß。ü．٤\u200b:xX", max_size=12)
ASKED = st.one_of(TEXTS, TEXTS.map("+44{}".format), TEXTS.map("a@{}".format), TEXTS.map("https://{}".format))


@settings(
    max_examples=full_or(50, full=500), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(rows=st.lists(ASKED, max_size=5), asked=st.lists(ASKED, max_size=3))
def test_a_database_and_normalise_know_the_same_rule(rows, asked):
    ContactPoint.objects.all().delete()
    written(rows)
    found = spellings.find(ContactPoint.objects.all(), "address", [*asked, *map(str.upper, rows[:2])])
    wanted = {normalise(each) for each in [*asked, *map(str.upper, rows[:2])]} - {""}
    expected = sorted(each for each in rows if normalise(each) in wanted)
    assert sorted(row.address for row, _ in found) == expected


# Who is told


@pytest.mark.parametrize(("own", "other"), [pair for group in ALIKE[:4] for pair in pairwise(group)])
def test_nobody_is_told_twice_who_is_in_the_audience_and_written_down(own, other):
    channel = "sms" if own in NUMBER else "email"
    ada = make_user()
    ContactPoint.objects.create(user=ada, channel=channel, address=own)
    lines = "\n".join(f"{channel}: {each.strip()}" for each in (other, own, "bo@example.com"))
    fan_out(flowing_event(users=[ada], channels=(channel,), addresses=lines))
    found = dict(Delivery.objects.values_list("recipient", "address"))
    # What is sent to is what was written.
    assert found == {f"user:{ada.pk}": own.strip(), "address:bo@example.com": "bo@example.com"}


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_what_gets_nothing_more_and_who_opted_out_is_known_in_any_spelling(one, other):
    row = make_delivery(address=other, recipient=str(Recipient.of_address(other)))
    suppression.suppress("email", one, "bounced")
    assert suppression.find("email", other) is not None
    assert [answer.reason for answer in ask_final([row], "email")] == ["suppressed"]
    Suppression.objects.all().delete()
    opt_outs.opt_out(str(Recipient.of_address(one)), None, "", "page")
    assert [answer.reason for answer in ask_final([row], "email")] == ["opted_out"]


# Who is looked for


@pytest.fixture
def ada():
    ada = make_user(username="ada", email="Ada@BÜCHER.example")
    Profile.objects.create(user=ada, phone="+44 7400 123401")
    ContactPoint.objects.create(user=ada, channel="webhook", address="https://Hooks.example.com/In")
    return ada


@pytest.mark.parametrize("text", [*IDN, *NUMBER, "https://hooks.example.com/In"])
def test_a_person_is_found_by_any_spelling(ada, text):
    make_user()
    assert explaining.find_person(text).user == ada
    assert addresses.recipients_called(text) == [str(Recipient.of_address(text)), f"user:{ada.pk}"]


@pytest.mark.parametrize("text", [*IDN, *NUMBER])
def test_the_admin_finds_deliveries_opt_outs_and_contact_points(ada, text, client):
    robin = make_user(is_staff=True)
    robin.user_permissions.set(Permission.objects.filter(content_type__app_label="notifier"))
    client.force_login(robin)
    make_delivery()
    mine = make_delivery(recipient=f"user:{ada.pk}", address=ada.email)
    plain = make_delivery(recipient=str(Recipient.of_address(text)), address=text)
    OptOut.objects.create(recipient=f"user:{ada.pk}")
    OptOut.objects.create(recipient=str(Recipient.of_address(text)))
    OptOut.objects.create(recipient="address:bo@example.com")
    ContactPoint.objects.create(user=ada, channel="sms", address=text)
    for model, expected in ("delivery", {mine.pk, plain.pk}), ("optout", 2), ("contactpoint", 1):
        answer = client.get(reverse(f"admin:notifier_{model}_changelist"), {"q": text})
        found = {row.pk for row in answer.context["cl"].result_list}
        assert found == expected or len(found) == expected, model


def test_an_export_and_erasing_hold_what_went_to_ones_address_in_another_spelling(ada):
    event = make_delivery().event
    values = {"status": "sent", "finished_at": event.created_at, "event": event}
    make_delivery(recipient=str(Recipient.of_address(IDN[3])), address=IDN[3], **values)
    OptOut.objects.create(recipient=str(Recipient.of_address(IDN[1])), category=make_category())
    person = explaining.find_person("ada")
    found = privacy.export_person(person)
    assert (len(found["delivery"]), len(found["optout"])) == (1, 1)
    privacy.erase_person(person)
    assert not Delivery.objects.filter(address=IDN[3]).exists()
    assert Delivery.objects.exclude(address="").count() == 1
    assert OptOut.objects.exists()


# What was stored by an earlier release


def test_the_migration_brings_stored_names_to_their_form():
    migration = import_module("notifier.migrations.0006_spellings")
    stored = [
        "https://Hooks.example.com/In",
        "https://hooks.example.com/In",
        "0044 7400 123401",
        "007",
        MAIL[0],
    ]
    news = make_category()
    for each in stored:
        Suppression.objects.create(channel="webhook", address=each)
        OptOut.objects.create(recipient=f"address:{each}", category=news)
    OptOut.objects.create(recipient=f"address:{URL[1]}")
    OptOut.objects.create(recipient="user:0044://7400123401")
    migration.forward(apps, SimpleNamespace(connection=connection))
    expected = sorted({normalise(each) for each in stored})
    assert sorted(Suppression.objects.values_list("address", flat=True)) == expected
    mine = OptOut.objects.filter(category=news).values_list("recipient", flat=True)
    assert sorted(mine) == [f"address:{each}" for each in expected]
    others = OptOut.objects.filter(category=None).values_list("recipient", flat=True)
    assert sorted(others) == [f"address:{normalise(URL[1])}", "user:0044://7400123401"]
