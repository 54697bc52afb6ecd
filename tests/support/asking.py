"""What the admin answers to one person, and whether that person is shown what was asked for.

Nothing here knows which column is for whom: a column is shown where its value, or a change of it, stands in a
page that this person may open.
"""

import datetime as dt
import re
from contextlib import contextmanager
from itertools import count

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import models
from django.test import Client, RequestFactory
from django.urls import reverse

from notifier.channels.recipient import Recipient
from notifier.models import ContentVersion, Delivery, Feedback, TemplateContent
from tests.support.builders import make_user
from tests.support.planting import plant, text_columns

# As long as no cell is that shortens a text; all begin alike, as masks show how a text begins.
FILLING = "w" * 15
CHANGING = re.compile(r'\b[A-Za-z0-9]{64}\b|nonce="[^"]*"|\?_changelist_filters=[^"]*')
_numbers: dict[models.Field, int] = {}
_number = count(100)


def mark(field):
    """The text that is planted in this column alone."""
    if field not in _numbers:
        _numbers[field] = next(_number)
    return f"qx{_numbers[field]}{FILLING}"


def other(text):
    """As long, and different in its last letter only."""
    return f"{text[:-1]}v"


def plant_people():
    """A row of each model, about one person who is marked in each column."""
    person = make_user()
    for field in text_columns(type(person)):
        setattr(person, field.name, mark(field)[: field.max_length])
    person.save()
    rows = plant(mark, user=person)
    # Each is of the other: one of the two is planted first.
    ContentVersion.objects.update(content=rows[TemplateContent])
    TemplateContent.objects.update(version=rows[ContentVersion])
    # As anything ever has it: a list shows no other.
    rows[Delivery].returned = Feedback.Kind.BOUNCED
    rows[Delivery].save()
    return rows


class Asker:
    """Somebody of the staff, with exactly these permissions."""

    def __init__(self, permissions=None, *, is_superuser=False):
        self.user = make_user(is_staff=True, is_superuser=is_superuser, email="", first_name="")
        if permissions is not None:
            self.user.user_permissions.set(permissions)
        self.client = Client()
        self.client.force_login(self.user)
        self._pages = {}

    def request(self, query=None):
        request = RequestFactory().get("/", query or {})
        request.user = self.user
        return request

    def may_list(self, site_admin):
        return site_admin.has_view_or_change_permission(self.request())

    def page(self, site_admin, row):
        """The list and the row's own page as text; nothing where this person may not open them."""
        if not self.may_list(site_admin):
            return ""
        own = reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])
        found = [self.client.get(address) for address in (address_of(site_admin), own)]
        return CHANGING.sub("", "".join(each.content.decode() for each in found if each.status_code == 200))

    def is_shown(self, row, field, *, on):
        """Whether ``field`` of ``row`` can be seen in the pages of the row ``on``, or in its own."""
        pairs = {(type(each), each.pk): each for each in (on, row)}.values()
        pages = [(admin.site._registry.get(type(each)), each) for each in pairs]
        pages = [(site_admin, each) for site_admin, each in pages if site_admin]
        value = getattr(row, field.attname)
        kept = [self._kept(site_admin, each) for site_admin, each in pages]
        if isinstance(value, str) and value and any(value.lower() in page.lower() for page in kept):
            return True
        if another(field, value) is None and not field.null:
            return True  # A key where there is no other row: nothing to tell apart.
        with changed(row, field):
            return [self.page(site_admin, each) for site_admin, each in pages] != kept

    def _kept(self, site_admin, row):
        key = site_admin, row.pk
        if key not in self._pages:
            self._pages[key] = self.page(site_admin, row)
            assert self._pages[key] == self.page(site_admin, row), "A page must be the same, asked twice."
        return self._pages[key]


def address_of(site_admin):
    return reverse(f"admin:{site_admin.opts.label_lower.replace('.', '_')}_changelist")


@contextmanager
def changed(row, field):
    """The row with another value in that column, and after that as it was."""
    rows = type(row)._base_manager.filter(pk=row.pk)
    rows.update(**{field.attname: another(field, getattr(row, field.attname))})
    yield
    rows.update(**{field.attname: getattr(row, field.attname)})


# Of those that are no text: the first of which the column is one.
EXAMPLES = [
    (models.GenericIPAddressField, lambda value: "192.0.2.2"),
    (models.BooleanField, lambda value: not value),
    (models.JSONField, lambda value: value * 2 if isinstance(value, list) else {"mark": "another"}),
    (models.DateTimeField, lambda value: (value or dt.datetime.now(dt.UTC)) - dt.timedelta(days=400)),
    (models.DateField, lambda value: dt.date(2020, 1, 1)),
    (models.TimeField, lambda value: dt.time(3, 4)),
]


def another(field, value):
    """A value of this column that is not ``value``, and as near to it as there is one."""
    if field.is_relation:
        return field.related_model._base_manager.exclude(pk=value).values_list("pk", flat=True).last()
    if field.choices:
        return next(each for each, _label in field.flatchoices if each != value)
    if field.name == "recipient":
        return str(Recipient.of_address("v@example.com"))
    if made := next((make for kind, make in EXAMPLES if isinstance(field, kind)), None):
        return made(value)
    return (other(value) if value else "v") if isinstance(value, str) else (value or 0) + 1


def paths_of(model):
    """Each column that a look-up of ``model`` can name: its own, and those one relation further."""
    for field in model._meta.concrete_fields:
        yield field.name, field, False
    for relation in model._meta.get_fields(include_hidden=True):
        if relation.is_relation and relation.related_model:
            for field in relation.related_model._meta.concrete_fields:
                yield f"{relation.name}__{field.name}", field, True


def permissions(**filters):
    return Permission.objects.filter(**filters)


def views():
    """All permissions to view something, but for that to see who receives."""
    return permissions(codename__startswith="view_").exclude(codename="view_recipients")
