"""No page of the admin tells by what it finds what it does not show.

All registered classes are walked: one that is added, or a column, is tried by being there.
"""

import pytest
from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_user_model

from notifier.models import Audience
from tests.support.asking import (
    Asker,
    address_of,
    another,
    mark,
    paths_of,
    permissions,
    plant_people,
    views,
)

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

# Those that have pages of their own in place of Django's list.
WITHOUT_LIST = {"notifier.overview", "notifier.onduty", "notifier.pause"}
CLASSES = {model._meta.label_lower: each for model, each in admin.site._registry.items()}
LISTS = {name: each for name, each in CLASSES.items() if name not in WITHOUT_LIST}
SUFFIXES = ("", "__startswith", "__iregex", "__gt", "__isnull", "__in", "__id__exact")
# What each may, beside the class that is walked.
ROLES = {
    "superuser": lambda name: {"is_superuser": True},
    "views everything but recipients": lambda name: {"permissions": views()},
    "views this alone": lambda name: {"permissions": _of(name, "view")},
    "changes this alone": lambda name: {"permissions": _of(name, "change")},
    "views this and recipients": lambda name: {
        "permissions": _of(name, "view") | permissions(codename="view_recipients")
    },
}
# Who may see recipients finds them by their names and addresses, as these are now.
OF_RECIPIENTS = {"username", "email", "address", "recipient"}


def _of(name, *verbs):
    app, model = name.split(".")
    return permissions(content_type__app_label=app, codename__in=[f"{verb}_{model}" for verb in verbs])


class Walk:
    """One class as one person sees it, with the planted row that its list shows."""

    def __init__(self, planted, name, role):
        self.name, self.admin, self._planted = name, CLASSES[name], planted
        self._shown = {}
        self.asker = Asker(**ROLES[role](name))
        self.request, self.on = self.asker.request(), self.row_of(self.admin.model)

    def row_of(self, model):
        return self._planted.get(model) or model._base_manager.order_by("pk").first()

    def columns(self):
        """(path of a look-up, field, the row that it is of), where there is one."""
        for path, field, is_related in paths_of(self.admin.model):
            row = self.row_of(field.model) if is_related else self.on
            # The key of a row is in the address of its page.
            if row is not None and not field.primary_key:
                yield path, field, row

    def may_list(self):
        return self.asker.may_list(self.admin)

    def is_shown(self, field, row):
        if (field, row.pk) not in self._shown:
            self._shown[field, row.pk] = self.asker.is_shown(row, field, on=self.on)
        return self._shown[field, row.pk]

    def rows(self, query):
        """The rows of the list for what is asked, or that it is refused."""
        try:
            changelist = self.admin.get_changelist_instance(self.asker.request(query))
        except (IncorrectLookupParameters, DisallowedModelAdminLookup):
            return "refused"
        return [row.pk for row in changelist.result_list]

    def found(self, term):
        queryset = self.admin.get_queryset(self.request)
        rows, _doubles = self.admin.get_search_results(self.request, queryset, term)
        return sorted(rows.values_list("pk", flat=True))


@pytest.fixture
def planted():
    return plant_people()


def asked_by_look_up(walk):
    for path, field, row in walk.columns() if walk.name in LISTS else ():
        if any(walk.admin.lookup_allowed(f"{path}{each}", "q", walk.request) for each in SUFFIXES):
            yield path, field, row


def answered_by_value(walk):
    """The right value and a wrong one, asked for in the list."""
    for path, field, row in walk.columns() if walk.name in LISTS else ():
        if row is not walk.on or "__" in path:
            continue
        right = getattr(row, field.attname)
        values = ("1", "0") if right is None else (right, another(field, right))
        lookup = f"{path}__isnull" if right is None else path
        if walk.rows({lookup: str(values[0])}) != walk.rows({lookup: str(values[1])}):
            yield lookup, field, row


def found_by_search(walk):
    """As the search box does it, and what is chosen from while one types."""
    for path, field, row in walk.columns() if walk.admin.get_search_fields(walk.request) else ():
        right = getattr(row, field.attname)
        if not isinstance(right, str) or not right or field.choices or _may_find(walk.asker, field):
            continue
        if walk.found(right) != walk.found(another(field, right)):
            yield path, field, row


def _may_find(asker, field):
    return field.name in OF_RECIPIENTS and asker.user.has_perm("notifier.view_recipients")


def ordered_by(walk):
    if walk.name not in LISTS:
        return
    changelist = walk.admin.get_changelist_instance(walk.request)
    names = {changelist.get_ordering_field(each) for each in changelist.list_display}
    names |= set(walk.admin.get_ordering(walk.request) or walk.admin.opts.ordering)
    for name in {str(each).lstrip("-").split("__")[0] for each in names - {None}} - {"pk"}:
        if not (field := walk.admin.opts.get_field(name)).primary_key:
            yield name, field, walk.on


@pytest.mark.parametrize("role", ROLES)
def test_no_list_answers_about_a_column_that_it_does_not_show(planted, role):
    walks = [walk for name in CLASSES if (walk := Walk(planted, name, role)).may_list()]
    wrong = [
        (ask.__name__, walk.name, name)
        for walk in walks
        for ask in (asked_by_look_up, answered_by_value, found_by_search, ordered_by)
        for name, field, row in ask(walk)
        if not walk.is_shown(field, row)
    ]
    assert wrong == []
    assert len(walks) > len(CLASSES) / 2


@pytest.mark.parametrize("name", LISTS)
def test_a_list_asked_for_a_hidden_column_is_the_list_asked_for_one_that_is_not_there(admin_client, name):
    """By the real way, and by the address that a page keeps of its list."""
    address = address_of(LISTS[name])
    for asked in ("password__startswith", "token__regex", "user__password__regex", "nothing__regex"):
        response = admin_client.get(address, {asked: "q"})
        assert (response.status_code, response["Location"]) == (302, f"{address}?e=1"), asked


ABOUT_PEOPLE = ["contactpoint", "audience", "inboxitem", "device", "suppression", "delivery", "preferences"]


@pytest.mark.parametrize("name", ABOUT_PEOPLE)
def test_no_page_of_a_row_names_whom_it_is_about_to_who_may_not_see_recipients(planted, name):
    model = CLASSES[f"notifier.{name}"].model
    asker, row = Asker(_of(f"notifier.{name}", "view", "change", "delete", "add")), planted[model]
    planted[Audience].addresses = f"email: {mark(Audience._meta.get_field('addresses'))}"
    planted[Audience].save()
    users = [getattr(planted[get_user_model()], each) for each in ("username", "email", "first_name")]
    telling = ("address", "addresses", "title", "text", "token", "link", "about")
    marks = [mark(field) for field in model._meta.concrete_fields if field.name in telling] + users
    own = f"/admin/notifier/{name}/"
    for address in ("", f"{row.pk}/change/", f"{row.pk}/history/", f"{row.pk}/delete/", "add/"):
        said = asker.client.get(f"{own}{address}").content.decode()
        assert [each for each in marks if each in said] == [], address
    keys = {"users": [users and planted[get_user_model()].pk], "user": planted[get_user_model()].pk}
    said = asker.client.post(f"{own}add/", keys).content.decode()
    assert [each for each in users if each in said] == []


def test_an_audience_keeps_what_its_editor_may_not_see(planted):
    """Also where something in it is wrong: that is said, and not what."""
    audience = planted[Audience]
    asker, page = Asker(_of("notifier.audience", "change")), f"/admin/notifier/audience/{audience.pk}/change/"
    for addresses, status in (("email: ann@hidden.example", 302), ("nowhere: ann@hidden.example", 200)):
        Audience.objects.filter(pk=audience.pk).update(addresses=addresses, declared="")
        response = asker.client.post(page, {"name": "Renamed", "groups": "", "paths": "", "callables": []})
        assert response.status_code == status
        assert "hidden.example" not in response.content.decode()
        audience.refresh_from_db()
        assert (audience.name, audience.addresses) == ("Renamed", addresses)
        assert audience.users.count() == 1
