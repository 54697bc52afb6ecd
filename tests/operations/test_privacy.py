"""What is kept of one person is found, all of it, and can be removed, without anybody else's."""

import json
from itertools import count
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection

from notifier import explaining
from notifier.deploy import environment
from notifier.inbox.items import add_item
from notifier.models import (
    Audience,
    Category,
    ContactPoint,
    Delivery,
    Event,
    InboxItem,
    OptOut,
    Preferences,
    Suppression,
)
from notifier.operations import privacy
from tests.support.builders import make_audience, make_delivery, make_event, make_user

pytestmark = pytest.mark.django_db


def make_known(name):
    """A user of whom every kind of row is there, each with ``name`` in it where it has a text."""
    user = make_user(username=name, email=f"{name}@example.com")
    key = f"user:{user.pk}"
    ContactPoint.objects.create(user=user, channel="sms", address=f"{name} phone")
    Preferences.objects.create(user=user, language="de")
    OptOut.objects.create(
        recipient=key, category=Category.objects.get_or_create(name="news", title="News")[0]
    )
    add_item(user.pk, delivery=user.pk, title=f"{name} item")
    make_audience(users=[user], addresses=f"email: {name}@example.com\nsms: +15550100")
    event = make_event(data={"title": f"{name} title"}, status="done", due_at=None)
    make_delivery(
        event=event,
        recipient=key,
        address=user.email,
        status="sent",
        finished_at=event.created_at,
        due_at=None,
    )
    other = make_user()
    joined = make_event(
        data={"title": f"{name} joined"}, status="done", due_at=None, action_object=f"auth.user:{user.pk}"
    )
    told = make_delivery(
        event=joined, recipient=f"user:{other.pk}", status="sent", finished_at=joined.created_at
    )
    add_item(other.pk, delivery=told.pk, title=f"{name} joined", about=joined.action_object)
    LogEntry.objects.create(
        user=other, content_type=ContentType.objects.get(model="contactpoint"), object_id="0", action_flag=1,
        object_repr=f"{name} · sms", change_message=f"{name}@example.com",
    )  # fmt: skip
    return user


def kept_of(user):
    """Everything in this app's tables that says the user's name, or belongs to the user."""
    texts = []
    for model in apps.get_app_config("notifier").get_models():
        texts += [
            str(row)
            for row in model._default_manager.values()
            if user.username in str(row) or row.get("user_id") == user.pk
        ]
    return texts


def erase(user):
    return privacy.erase_person(explaining.find_person(user.username))


def test_an_export_holds_all_of_one_person_and_nothing_of_another(capsys):
    ada, bob = make_known("ada"), make_known("bob")
    Suppression.objects.create(channel="email", address="ada@example.com", reason="complained")

    call_command("notify", "export-person", "ada")

    text = capsys.readouterr().out
    found = json.loads(text)
    assert "bob" not in text
    for kind in (
        "contactpoint",
        "preferences",
        "optout",
        "inbox",
        "inboxitem",
        "audience",
        "delivery",
        "suppression",
    ):
        assert len(found[kind]) == 1, kind
    assert found["delivery"][0]["what"]["data"] == {"title": "ada title"}
    assert found["person"] == f"user:{ada.pk}" != f"user:{bob.pk}"


def test_erasing_leaves_nothing_of_one_and_all_of_another():
    ada, bob = make_known("ada"), make_known("bob")
    bobs = kept_of(bob)

    erased = erase(ada)

    assert kept_of(ada) == []
    assert kept_of(bob) == bobs
    assert (erased.deliveries, erased.events, erased.cancelled, erased.under_way) == (1, 2, 0, 0)
    # That it was sent stays
    assert Delivery.objects.filter(recipient=f"user:{ada.pk}", status="sent", address="").exists()


def test_erasing_twice_is_harmless():
    ada = make_known("ada")
    erase(ada)
    assert erase(ada) == privacy.Erased()


def test_what_waits_for_the_person_is_cancelled():
    ada = make_user(username="ada")
    delivery = make_delivery(recipient=f"user:{ada.pk}")
    assert erase(ada).cancelled == 1
    delivery.refresh_from_db()
    assert delivery.status == "cancelled"
    assert delivery.address == ""


def test_what_is_being_sent_is_said():
    ada = make_user(username="ada")
    make_delivery(recipient=f"user:{ada.pk}", status="claimed")
    assert erase(ada).under_way == 1


def test_an_event_that_others_were_told_of_keeps_what_it_says():
    ada, bob = make_user(username="ada"), make_user(username="bob")
    event = make_event(data={"title": "Sale"}, status="done", due_at=None)
    for user in (ada, bob):
        make_delivery(event=event, recipient=f"user:{user.pk}", status="sent", finished_at=event.created_at)
    erase(ada)
    assert Event.objects.get(pk=event.pk).data == {"title": "Sale"}
    assert Delivery.objects.get(recipient=f"user:{bob.pk}").address != ""


@pytest.mark.parametrize("column", ["action_object", "actor"])
def test_an_event_about_the_person_says_nothing_any_more_to_whomever_it_went(column):
    ada, bob = make_user(username="ada"), make_user(username="bob")
    label = f"{get_user_model()._meta.label_lower}:{ada.pk}"
    event = make_event(data={"title": "Ada has joined"}, status="done", due_at=None, **{column: label})
    make_delivery(event=event, recipient=f"user:{bob.pk}", status="sent", finished_at=event.created_at)
    erase(ada)
    assert Event.objects.get(pk=event.pk).data == {}


def test_a_plain_address_is_a_person_too():
    delivery = make_delivery(status="sent", finished_at=None)
    Delivery.objects.update(finished_at=delivery.created_at)
    OptOut.objects.create(recipient=delivery.recipient)
    person = explaining.find_person(delivery.recipient)
    assert len(privacy.export_person(person)["delivery"]) == 1
    privacy.erase_person(person)
    assert delivery.address not in str(list(Delivery.objects.values()))
    assert OptOut.objects.exists()  # it is why nobody writes there again


def test_a_plain_address_is_forgotten_also_where_others_were_told():
    event = make_event(data={"title": "Sale"}, status="done", due_at=None)
    for _ in range(2):
        row = make_delivery(event=event, status="sent", finished_at=event.created_at, detail="of a provider")
    privacy.erase_person(explaining.find_person(row.recipient))
    row.refresh_from_db()
    assert (row.address, row.detail, row.recipient) == ("", "", f"address:#{row.pk}")
    assert Event.objects.get(pk=event.pk).data == {"title": "Sale"}
    assert Delivery.objects.exclude(address="").count() == 1


class Cut(Exception):
    """The connection is gone, or the function's time is up."""


def cut_before(number):
    """Raise Cut once, in place of a statement that comes after so many others."""
    passed = count()

    def execute(execute, sql, *arguments):
        if "SAVEPOINT" not in sql and next(passed) == number:
            raise Cut
        return execute(sql, *arguments)

    return connection.execute_wrapper(execute)


def plain_ada():
    event = make_event(data={"title": "for ada"}, status="done", due_at=None)
    make_delivery(
        event=event, recipient="address:ada@example.com", address="ada@example.com", status="sent",
        finished_at=event.created_at,
    )  # fmt: skip
    return "address:ada@example.com"


def all_that_says(name):
    models = {LogEntry, *apps.get_app_config("notifier").get_models()} - {OptOut}
    return [text for model in models for text in map(str, model.objects.values()) if name in text]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("make", [lambda: make_known("ada").username, plain_ada])
def test_erasing_that_is_cut_off_anywhere_goes_on_where_it_stopped(make):
    is_whole = False
    for number in count():
        person = explaining.find_person(make())
        try:
            with cut_before(number):
                privacy.erase_person(person)
            is_whole = True
        except Cut:
            privacy.erase_person(person)
        assert all_that_says("ada") == [], f"cut off at statement {number}"
        if is_whole:
            break
        for model in (get_user_model(), Audience, Delivery, Event, OptOut, InboxItem):
            model.objects.all().delete()
    assert number > 10


def test_no_server_side_cursor_is_opened():
    """A pooler in transaction mode gives the next statement to another connection."""
    house = Path(privacy.__file__).parents[2]
    files = [path for name in ("notifier", "lambdas", "project") for path in (house / name).rglob("*.py")]
    assert [path.name for path in files if ".iterator(" in path.read_text()] == []
    found = environment._parse_database("postgres://user@host/name")
    assert found["DISABLE_SERVER_SIDE_CURSORS"]


def test_a_suppressed_address_stays():
    """It is why nobody writes there again."""
    make_known("ada")
    Suppression.objects.create(channel="email", address="ada@example.com")
    privacy.erase_person(explaining.find_person("ada"))
    assert Suppression.objects.exists()


def test_the_command_asks_first(monkeypatch):
    make_known("ada")
    monkeypatch.setattr("builtins.input", lambda question: "n")
    with pytest.raises(CommandError, match="Nothing was removed"):
        call_command("notify", "erase-person", "ada")
    assert InboxItem.objects.exists()
    call_command("notify", "erase-person", "ada", "--yes")
    assert not InboxItem.objects.exists()
