"""All of a person's data is found, wherever the schema can hold some: planted column by column, exported,
erased, and looked for in the whole database. What is somebody else's stays as it is.
"""

import json

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder

from notifier import explaining
from notifier.models import (
    Audience,
    ContactPoint,
    ContentVersion,
    Delivery,
    DevicePush,
    Event,
    Pause,
    Suppression,
)
from notifier.operations import privacy
from tests.support import planting
from tests.support.builders import make_user

pytestmark = pytest.mark.django_db

LABELS = ("notifier", "admin", "axes")
# What is not of a person, by model or column.
RULE, COUNT, CODE = "what an editor writes for everybody", "a number of many", "a code of ours, no words"
NOT_OF_A_PERSON = {
    "admin.logentry.object_id": "a key",
    "notifier.audience": RULE,
    "notifier.budget": RULE,
    "notifier.canary": COUNT,
    "notifier.category": RULE,
    "notifier.contentversion": RULE,
    "notifier.gauge": COUNT,
    "notifier.hourlycount": COUNT,
    "notifier.pause": RULE,
    "notifier.rate": "a channel, or the digest of a room",
    "notifier.rulecount": COUNT,
    "notifier.spending": COUNT,
    "notifier.subscription": RULE,
    "notifier.template": RULE,
    "notifier.templatecontent": RULE,
    "notifier.trigger": RULE,
    "notifier.attempt.reason": CODE,
    "notifier.attempt.status": CODE,
    "notifier.delivery.channel": CODE,
    "notifier.delivery.follows": CODE,
    "notifier.delivery.followed_by": CODE,
    "notifier.delivery.reason": CODE,
    "notifier.delivery.returned": CODE,
    "notifier.delivery.status": CODE,
    "notifier.event.causes": "keys",
    "notifier.event.cursor": "keys",
    "notifier.event.plan": "keys of rules; whom it names has a test of its own",
    "notifier.event.status": CODE,
    "notifier.event.verb": RULE,
    "notifier.feedback.kind": CODE,
}
# Of the person all the same, although the rest of the table is not.
OF_A_PERSON = {"notifier.audience.addresses", "notifier.contentversion.author", "notifier.pause.paused_by"}
# Exported, and there after erasing: why nobody writes to them again.
KEPT = {
    "notifier.optout": "the person's no",
    "notifier.suppression": "an address that gets nothing more",
    "notifier.delivery.recipient": "that something was sent to the user 5",
}
# Removed, and not in the export.
NOT_EXPORTED = {"notifier.feedback.key": "the digest of a report", "notifier.devicepush": "a device's turn"}


def is_in(column, table):
    label = f"{column.model._meta.label_lower}"
    return label in table or f"{label}.{column.name}" in table


def is_of_a_person(column):
    return is_in(column, OF_A_PERSON) or not is_in(column, NOT_OF_A_PERSON)


COLUMNS = [column for model in planting.planted_models(LABELS) for column in planting.text_columns(model)]
NUMBERS = {column: number for number, column in enumerate(COLUMNS)}


def marks(person):
    """A function that gives each column a mark of its own."""
    return lambda column: f"{person}{NUMBERS.get(column, 999):03}"


def plant(person, user, monkeypatch):
    """One row of everything, all of them the person's."""
    with monkeypatch.context() as patch:
        for name, value in ("channel", f"{person.lower()}channel"), ("scope", f"trigger:{user.pk}"):
            patch.setitem(planting.WORKING, name, value)
        rows = planting.plant(marks(person), user=user, labels=LABELS)
    rows = {model: row for model, row in rows.items() if model is not type(user)}
    address = user.email
    event, delivery = rows[Event], rows[Delivery]
    Event.objects.filter(pk=event.pk).update(status="done", due_at=None)
    sent = {"status": "sent", "finished_at": event.created_at, "due_at": None, "address": address}
    Delivery.objects.filter(pk=delivery.pk).update(channel="email", claim=None, **sent)
    DevicePush.objects.update(delivery=delivery.pk)
    Audience.objects.filter(pk=rows[Audience].pk).update(addresses=f"email: {address}")
    ContentVersion.objects.filter(pk=rows[ContentVersion].pk).update(author=user.username)
    Pause.objects.filter(pk=rows[Pause].pk).update(paused_by=user.username)
    Suppression.objects.filter(pk=rows[Suppression].pk).update(address=address.lower(), channel="email")
    kind = ContentType.objects.get_for_model(ContactPoint)
    LogEntry.objects.filter(pk=rows[LogEntry].pk).update(
        content_type=kind, object_id=rows[ContactPoint].pk, user=make_user()
    )
    for model, row in rows.items():
        if model._meta.app_label == "axes" and hasattr(row, "username"):
            model.objects.filter(pk=row.pk).update(username=user.username)
    return rows


def exported(user):
    found = privacy.export_person(explaining.find_person(f"user:{user.pk}"))
    return json.dumps(found, ensure_ascii=False, cls=DjangoJSONEncoder)


def values_of(rows):
    return {model: list(model._base_manager.filter(pk=row.pk).values()) for model, row in rows.items()}


@pytest.fixture
def ada():
    return make_user(username="Qaname", email="Qamail@example.com")


@pytest.fixture
def bob():
    return make_user(username="Zbname", email="Zbmail@example.com")


def test_every_column_that_can_hold_something_of_a_person_is_exported_and_erased(ada, bob, monkeypatch):
    mine, others = plant("Qa", ada, monkeypatch), plant("Zb", bob, monkeypatch)
    planted, untouched = values_of(mine), values_of(others)

    document = exported(ada)
    missing = [str(column) for column in COLUMNS if not is_exported(column, planted, document)]
    assert missing == [], "of a person, and not in the export; or say in a list above why it is not"
    assert "Zb" not in document

    privacy.erase_person(explaining.find_person(f"user:{ada.pk}"))
    left = [label for label, column in left_of("Qa") if is_of_a_person(column) and not is_in(column, KEPT)]
    assert left == [], "of a person, and still there; or say in a list above why it is"
    assert named_in_any_case("qaname", "qamail") <= {"auth.user", *KEPT}
    assert values_of(others) == untouched
    assert privacy.erase_person(explaining.find_person(f"user:{ada.pk}")) == privacy.Erased()


def is_exported(column, planted, document):
    if not is_of_a_person(column) or is_in(column, NOT_EXPORTED):
        return True
    (row,) = planted[column.model]
    value, mark = str(row[column.attname]), marks("Qa")(column)
    return (mark if mark in value else value) in document


def left_of(mark):
    found = planting.columns_with(mark)
    columns = {f"{column.model._meta.label_lower}.{column.name}": column for column in COLUMNS}
    return [(label, columns[label]) for label in found if not label.startswith("auth.user")]


def named_in_any_case(*names):
    """Models in whose rows one of ``names`` stands."""
    found = set()
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            rows = map(str, model._base_manager.values())
            found |= {model._meta.label_lower for row in rows if any(name in row.lower() for name in names)}
    return found


@pytest.mark.parametrize("table", [NOT_OF_A_PERSON, OF_A_PERSON, KEPT, NOT_EXPORTED], ids=len)
def test_what_the_lists_name_is_there(table):
    known = {column.model._meta.label_lower for column in COLUMNS}
    known |= {f"{column.model._meta.label_lower}.{column.name}" for column in COLUMNS}
    known |= {model._meta.label_lower for model in planting.planted_models(LABELS)}
    assert set(table) - known == set()
