"""No page of the admin tells by what it finds what it does not show.

All registered classes are walked: one that is added, or a column, is tried by being there.
"""

import pytest
from django.contrib import admin

from tests.support.asking import Asker, address_of, another, paths_of, permissions, plant_people, views

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

# Those that have pages of their own in place of Django's list.
WITHOUT_LIST = {"notifier.overview", "notifier.onduty", "notifier.pause"}
CLASSES = {model._meta.label_lower: each for model, each in admin.site._registry.items()}
LISTS = sorted(set(CLASSES) - WITHOUT_LIST)
SUFFIXES = ("", "__startswith", "__iregex", "__gt", "__isnull", "__in", "__id__exact")
ROLES = {
    "superuser": lambda name: Asker(is_superuser=True),
    "views everything but recipients": lambda name: Asker(views()),
    "views this alone": lambda name: Asker(_of(name, "view")),
    "changes this alone": lambda name: Asker(_of(name, "change")),
    "views this and recipients": lambda name: Asker(
        _of(name, "view") | permissions(codename="view_recipients")
    ),
}
# Addresses and names of people are known to who may see recipients: “whose” is found by them.
RECIPIENTS = {"username", "email", "address", "recipient"}


def _of(name, *verbs):
    app, model = name.split(".")
    return permissions(content_type__app_label=app, codename__in=[f"{verb}_{model}" for verb in verbs])


@pytest.fixture
def planted():
    return plant_people()


def _row(planted, model):
    return planted.get(model) or model._base_manager.order_by("pk").first()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", LISTS)
def test_no_look_up_names_a_column_that_is_not_shown(planted, name, role):
    asker, site_admin = ROLES[role](name), CLASSES[name]
    request, on, wrong = asker.request(), _row(planted, CLASSES[name].model), []
    for path, field, is_related in paths_of(site_admin.model):
        if field.primary_key and not is_related:
            continue
        allowed = [each for each in SUFFIXES if site_admin.lookup_allowed(f"{path}{each}", "q", request)]
        row = _row(planted, field.model) if is_related else on
        if allowed and row and not _is_key(field, path) and not asker.is_shown(row, field, on=on):
            wrong.append((path, allowed))
    assert wrong == []


def _is_key(field, path):
    """The key of a row that another names: as good as the name of the relation."""
    return field.primary_key and "__" in path


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", LISTS)
def test_the_answers_to_the_right_and_to_the_wrong_value_are_the_same(planted, name, role):
    asker, site_admin = ROLES[role](name), CLASSES[name]
    on, address, wrong = _row(planted, site_admin.model), address_of(CLASSES[name]), []
    for field in site_admin.model._meta.concrete_fields:
        if field.primary_key:
            continue
        right = getattr(on, field.attname)
        for suffix in ("", "__startswith") if isinstance(right, str) else ("" if right is not None else "__isnull",):
            values = ("1", "0") if right is None else (right, another(field, right))
            first, second = (asker.answer(address, {f"{field.name}{suffix}": value}) for value in values)
            if first != second and not asker.is_shown(on, field, on=on):
                wrong.append((field.name, suffix, first, second))
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", sorted(CLASSES))
def test_no_search_finds_by_what_is_not_shown(planted, name, role):
    asker, site_admin = ROLES[role](name), CLASSES[name]
    request, on, wrong = asker.request(), _row(planted, site_admin.model), []
    if not asker.may_list(site_admin) or not site_admin.get_search_fields(request):
        return
    for path, field, is_related in paths_of(site_admin.model):
        row = _row(planted, field.model) if is_related else on
        right = row and getattr(row, field.attname)
        if not isinstance(right, str) or not right or field.choices:
            continue
        first, second = (_found(site_admin, request, value) for value in (right, another(field, right)))
        if first != second and not _may_find(asker, field) and not asker.is_shown(row, field, on=on):
            wrong.append((path, first, second))
    assert wrong == []


def _found(site_admin, request, term):
    rows, _doubles = site_admin.get_search_results(request, site_admin.get_queryset(request), term)
    return sorted(rows.values_list("pk", flat=True))


def _may_find(asker, field):
    return field.name in RECIPIENTS and asker.user.has_perm("notifier.view_recipients")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", LISTS)
def test_no_list_is_ordered_by_what_is_not_shown(planted, name, role):
    asker, site_admin = ROLES[role](name), CLASSES[name]
    on = _row(planted, site_admin.model)
    if not asker.may_list(site_admin):
        return
    changelist = site_admin.get_changelist_instance(asker.request())
    names = [changelist.get_ordering_field(each) for each in changelist.list_display]
    names += changelist.get_ordering(changelist_request(asker), changelist.root_queryset)
    columns = {str(each).lstrip("-") for each in names if isinstance(each, str)} - {"pk"}
    fields = [site_admin.opts.get_field(each.split("__")[0]) for each in columns]
    hidden = [each.name for each in fields if not each.primary_key and not asker.is_shown(on, each, on=on)]
    assert hidden == []


def changelist_request(asker):
    return asker.request("?o=1")
