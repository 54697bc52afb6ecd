"""What says something of a person in rows that are not theirs goes with their data; what is others' stays."""

import pytest
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from notifier import explaining
from notifier.deliveries.fanout import fan_out
from notifier.inbox.items import add_item
from notifier.models import Audience, ContactPoint, ContentVersion, Delivery, InboxItem, Pause, Suppression
from notifier.operations import paging, privacy, retention
from tests.support.builders import make_audience, make_delivery, make_event, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    ada = make_user(username="ada", email="Ada@BÜCHER.example")
    ContactPoint.objects.create(user=ada, channel="sms", address="+44 (0)7400 123456")
    return ada


@pytest.fixture
def bob():
    return make_user(username="bob")


def erase(user):
    return privacy.erase_person(explaining.find_person(f"user:{user.pk}"))


def export(user):
    return privacy.export_person(explaining.find_person(f"user:{user.pk}"))


# The lines of audiences

LINES = [
    # a line, and whether it is Ada's
    ("email: Ada@BÜCHER.example", True),
    ("email: ada@xn--bcher-kva.example", True),
    ("  EMAIL:ADA@bücher.EXAMPLE.  ", True),
    ("email: Ada Lovelace <ada@bücher.example>", True),
    ("sms: +447400123456", True),
    ("sms: 0044 7400 123456", True),
    ("sms: tel:+44-7400-123456", True),
    ("webhook: +44 7400 123456", True),  # a number is hers on any channel
    ("ada@bücher.example", True),  # no channel: a line that sends nothing says who she is all the same
    ("nosuchchannel: ada@bücher.example", True),
    ("# ada@bücher.example left in May", True),
    ("# Ada: +44 7400 123 456", True),
    ("# emails: bo@example.com, ada@bücher.example", True),
    ("", False),
    ("   ", False),
    ("# the team in Leeds", False),
    ("email: ops@example.com", False),
    ("email: ada@example.com", False),  # somebody else of that name
    ("email: lada@bücher.example", False),
    ("email: ada+shop@bücher.example", False),  # a mailbox of its own: each server's affair
    ("email: ada@bücher.example.org", False),
    ("sms: +4474001234567", False),  # one digit more
    ("sms: +44740012345", False),
    ("chat: ops", False),
]


@pytest.mark.parametrize(("line", "is_hers"), LINES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_goes_with_the_person_whose_it_is_and_all_others_stay_as_they_are(ada, line, end, is_hers):
    before, after = f"# first{end}{end}email: bo@example.com{end}", f"sms: +15550100{end}"
    audience = make_audience(addresses=f"{before}{line}{end}{after}")
    assert export(ada)["audience"] == (
        [{"name": audience.name, "chosen": False, "lines": [line.strip()]}] if is_hers else []
    )
    erased = erase(ada)
    audience.refresh_from_db()
    assert audience.addresses == before + ("" if is_hers else line + end) + after
    assert erased.mentions == is_hers


def test_nothing_is_written_to_an_erased_address_any_more(ada, bob):
    audience = make_audience(addresses="email: ada@bücher.example\nemail: bo@example.com")
    erase(ada)
    fan_out(make_event(audiences=[audience]).pk, lease_seconds=60)
    assert list(Delivery.objects.values_list("recipient", flat=True)) == ["address:bo@example.com"]


def test_an_audience_that_code_declares_is_named(ada):
    make_audience(users=[ada])
    kept = make_audience(addresses="email: ada@bücher.example")
    Audience.objects.filter(pk=kept.pk).update(declared=Audience.Kept.CODE)
    assert erase(ada).in_code == [kept.name]


def test_a_line_that_an_editor_changes_meanwhile_is_not_lost(ada):
    from notifier.operations import audience_lines, subjects

    audience = make_audience(addresses="email: ada@bücher.example")
    subject = subjects.subject_of(explaining.find_person("ada"))
    Audience.objects.filter(pk=audience.pk).update(addresses="email: ada@bücher.example\nemail: new@x.org")
    assert audience_lines._remove_lines(subject, audience) == 1
    audience.refresh_from_db()
    assert audience.addresses == "email: new@x.org"


# Whose an address is


def test_what_went_to_an_address_that_others_have_as_well_is_not_given_away_and_stays(ada, bob):
    for user in ada, bob:
        ContactPoint.objects.create(user=user, channel="email", address="family@example.com")
    audience = make_audience(addresses="email: family@example.com")
    make_delivery(recipient="address:family@example.com", address="family@example.com", status="sent")
    assert (export(ada)["audience"], export(ada)["delivery"]) == ([], [])
    erase(ada)
    audience.refresh_from_db()
    assert audience.addresses == "email: family@example.com"
    assert Delivery.objects.get().address == "family@example.com"


CLAIMS = [
    # what somebody says is an address of theirs, and where
    ("email", "ops@example.com", False),  # not confirmed
    ("chat", "ops", True),  # a room
    ("chat", "slack:#ops", True),
    ("chat", "telegram:-1001234567890", True),
    ("chat", "board:@channel/x", True),  # no address at all
]


@pytest.mark.parametrize(("channel", "address", "verified"), CLAIMS)
def test_who_only_claims_an_address_gets_nothing_of_it_and_takes_nothing_away(channel, address, verified):
    mallory = make_user(username="mallory")
    ContactPoint.objects.create(user=mallory, channel=channel, address=address, verified=verified)
    audience = make_audience(addresses=f"{channel}: {address}")
    values = {"channel": channel, "recipient": f"address:{address}", "address": address}
    row = make_delivery(**values, status="sent", finished_at=timezone.now())
    found = export(mallory)
    assert (found["audience"], found["delivery"], found["event"]) == ([], [], [])
    erase(mallory)
    audience.refresh_from_db()
    row.refresh_from_db()
    assert (audience.addresses, row.address) == (f"{channel}: {address}", address)


def test_an_address_that_the_person_had_before_is_theirs(ada):
    audience = make_audience(addresses="email: old@example.com")
    make_delivery(
        recipient=f"user:{ada.pk}", address="old@example.com", status="sent", finished_at=timezone.now()
    )
    Suppression.objects.create(channel="email", address="old@example.com")
    assert len(export(ada)["suppression"]) == 1
    erase(ada)
    audience.refresh_from_db()
    assert audience.addresses == ""


# Events


def told(bob, **values):
    """An event of which Bob was told, in his inbox as well."""
    event = make_event(data={"title": "Ada has joined"}, status="done", due_at=None, **values)
    delivery = make_delivery(
        event=event, recipient=f"user:{bob.pk}", status="sent", finished_at=event.created_at
    )
    add_item(bob.pk, delivery=delivery.pk, title="Ada has joined", about=event.action_object)
    return event


@pytest.mark.parametrize("column", ["action_object", "actor"])
@pytest.mark.parametrize("is_old", [False, True], ids=["new", "emptied for its age"])
def test_others_inboxes_say_nothing_of_the_person_any_more(ada, bob, column, is_old):
    event = told(bob, **{column: f"auth.user:{ada.pk}"}, key="ada@bücher.example", reason="for Ada")
    of_bob = told(bob, action_object=f"auth.user:{bob.pk}")
    if is_old:
        retention.empty(event)
    items = export(ada)["others_inboxitem"]
    assert [item["title"] for item in items] == ["Ada has joined"] * (column == "action_object")
    assert "user_id" not in str(items)
    erase(ada)
    assert list(InboxItem.objects.values_list("about", flat=True)) == [of_bob.action_object]
    event.refresh_from_db()
    assert (event.data, event.key, event.reason, event.action_object, event.actor) == ({}, None, "", "", "")
    # That Bob got something stays.
    assert Delivery.objects.filter(event=event, recipient=f"user:{bob.pk}", status="sent").exists()


@pytest.mark.parametrize("gone", ["its event", "whom it is about"])
def test_an_item_of_others_is_found_by_its_event_or_by_whom_it_is_about(ada, bob, gone):
    told(bob, action_object=f"auth.user:{ada.pk}")
    if gone == "its event":
        Delivery.objects.all().delete()
    else:
        InboxItem.objects.update(about="")
    assert len(export(ada)["others_inboxitem"]) == 1
    erase(ada)
    assert not InboxItem.objects.exists()


def test_what_the_person_wrote_and_paused_is_in_their_export_by_their_name(ada, bob):
    make_event()
    ContentVersion.objects.update(author="ada")
    Pause.objects.create(scope="everything", paused_by="ada")
    Pause.objects.create(scope="channel:email", paused_by="bob")
    found = export(ada)
    assert [each["author"] for each in found["contentversion"]] == ["ada"]
    assert [each["paused_by"] for each in found["pause"]] == ["ada"]


def test_who_else_an_event_is_about_or_who_caused_it_stays(ada, bob):
    event = told(bob, action_object=f"auth.user:{ada.pk}", actor=f"auth.user:{bob.pk}")
    erase(ada)
    event.refresh_from_db()
    assert (event.action_object, event.actor) == ("", f"auth.user:{bob.pk}")
    # Nobody but Bob was told of it.
    assert [each["actor"] for each in export(bob)["event"]] == [f"auth.user:{bob.pk}"]


def test_what_an_event_says_that_the_person_only_caused_is_not_given_to_them(ada, bob):
    told(bob, actor=f"auth.user:{ada.pk}", action_object="demo.post:1")
    found = export(ada)
    assert "Ada has joined" not in str(found)
    assert [each["action_object"] for each in found["caused_event"]] == ["demo.post:1"]


def test_an_item_whose_event_others_wait_for_stays_until_they_were_told(ada, bob):
    event = told(bob, actor=f"auth.user:{ada.pk}")
    late = make_delivery(event=event, status="held")
    assert (erase(ada).waiting, InboxItem.objects.count()) == (1, 1)
    Delivery.objects.filter(pk=late.pk).update(status="sent", finished_at=timezone.now())
    assert (erase(ada).events, InboxItem.objects.count()) == (1, 0)


NAMED = [
    # what an event's plan names, what is left once it was fanned out, and before
    ({"address": "ADA@bücher.example", "channel": "email"}, [], []),
    ({"address": "+447400123456", "channel": ""}, [], []),
    ({"address": "bo@example.com", "channel": "email"}, ["same"], ["same"]),
    ({"relation": "watchers", "model": "app.order", "pk": 1}, ["same"], ["same"]),
    ({"users": ["ada", 0]}, ["same"], [{"users": [0]}]),  # a key is no word of hers
]


@pytest.mark.parametrize(("named", "left", "left_before"), NAMED)
@pytest.mark.parametrize("status", ["done", "shadow", "recorded", "held"])
def test_a_plan_of_others_names_the_person_no_more(ada, bob, named, left, left_before, status):
    if "users" in named:
        named = {"users": [ada.pk if key == "ada" else key for key in named["users"]]}
    event = make_event(status=status, recipients=[named], data={"title": "Sale"})
    make_delivery(event=event, recipient=f"user:{bob.pk}", status="sent", finished_at=timezone.now())
    expected = left if status in ("done", "shadow") else left_before
    expected = [named if each == "same" else each for each in expected]
    assert bool(export(ada)["named_in_event"]) == (expected != [named])
    erase(ada)
    event.refresh_from_db()
    assert (event.plan[0]["recipients"], event.data) == (expected, {"title": "Sale"})


def test_a_test_that_an_editor_sent_to_themselves_is_theirs(ada):
    version = ContentVersion.objects.create(number=0, subject="Dear me", text="…", author="ada")
    event = make_event(verb="test", actor=f"auth.user:{ada.pk}", status="done", due_at=None)
    make_delivery(
        event=event, subscription_id=0, version_id=version.pk, recipient=f"user:{ada.pk}", status="sent",
        finished_at=timezone.now(),
    )  # fmt: skip
    assert export(ada)["delivery"][0]["texts"][0]["subject"] == "Dear me"
    erase(ada)
    assert not ContentVersion.objects.filter(number=0).exists()


# The admin's log

ENTRIES = [
    # the model, whose row, how the entry calls it, what it says, and whether that goes
    ("user", "ada", "ada", "", True),
    ("contactpoint", "", "ada · sms", "", True),  # the row is gone since
    ("contactpoint", "", "adam · sms", "", False),
    ("preferences", "", "ada", "", True),
    ("audience", "", "Team", '[{"changed": {"object": "email: ada@b\\u00fccher.example"}}]', True),
    ("audience", "", "Team", "Took out ADA@xn--bcher-kva.example.", True),
    ("audience", "", "Team", "Took out bo@example.com.", False),
    ("post", "", "How ada met Bob", "", False),
    ("user", "bob", "bob", "", False),
]


@pytest.mark.parametrize(("model", "whose", "called", "said", "goes"), ENTRIES)
def test_the_log_keeps_that_somebody_changed_a_row_without_what_it_says(
    ada, bob, model, whose, called, said, goes
):
    key = {"ada": ada.pk, "bob": bob.pk}.get(whose, 77)
    entry = LogEntry.objects.create(
        user=bob, content_type=ContentType.objects.get(model=model), object_id=key, object_repr=called,
        change_message=said, action_flag=CHANGE,
    )  # fmt: skip
    assert len(export(ada)["logentry"]) == goes
    erase(ada)
    entry.refresh_from_db()
    assert (entry.user, entry.action_flag, entry.object_id) == (bob, CHANGE, str(key))
    assert (entry.object_repr, entry.change_message) == (("", "") if goes else (called, said))


def test_what_the_person_did_stays_with_their_account(ada, bob):
    entry = LogEntry.objects.create(
        user=ada, content_type=ContentType.objects.get(model="post"), object_id="5", object_repr="A post",
        change_message="", action_flag=DELETION,
    )  # fmt: skip
    erase(ada)
    entry.refresh_from_db()
    assert entry.object_repr == "A post"


def test_what_is_many_is_read_and_removed_a_page_at_a_time(ada, bob, monkeypatch):
    monkeypatch.setattr(paging, "PAGE_SIZE", 3)
    for number in range(10):
        add_item(ada.pk, title=f"{number}")
        told(bob, action_object=f"auth.user:{ada.pk}")
        make_audience(users=[ada], addresses="email: ada@bücher.example")
    assert len(export(ada)["inboxitem"]) == len(export(ada)["others_inboxitem"]) == 10
    erased = erase(ada)
    assert (erased.events, erased.mentions) == (10, 30)
    assert not InboxItem.objects.exists()
    assert erase(ada) == privacy.Erased()
