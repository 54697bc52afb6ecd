"""Audiences and contact points in the admin: chosen out of a million, without a list of a million."""

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from notifier.admin.people.audiences import MOST_USERS_IN_FORM
from notifier.channels.registry import channel_names
from notifier.models import Audience, ContactPoint
from notifier.rules import audiences
from tests.admin.browser import errors_in, saved, submit, text_of
from tests.support.builders import make_audience, make_people, make_trigger, make_user

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

ADD, LIST = "/admin/notifier/audience/add/", "/admin/notifier/audience/"
ADD_POINT, POINTS = "/admin/notifier/contactpoint/add/", "/admin/notifier/contactpoint/"


def page_of(audience):
    return f"/admin/notifier/audience/{audience.pk}/change/"


# Audiences


def test_every_source_of_an_audience_can_be_set(admin_client, monkeypatch):
    monkeypatch.setattr(audiences, "_callables", {})
    audiences.register_audience("on call", lambda event: [])
    user, group = make_user(), Group.objects.create(name="Editors")
    values = {
        "name": "All sorts",
        "everyone": "on",
        "users": [user.pk],
        "groups": [group.pk],
        "paths": "instance.owner\nemail: instance.contact_email",
        "addresses": "email: ops@example.com",
        "callables": ["on call"],
    }
    assert saved(submit(admin_client, ADD, values))
    audience = Audience.objects.get()
    assert list(audience.users.all()) == [user]
    assert list(audience.groups.all()) == [group]
    assert (audience.everyone, audience.callables) == (True, ["on call"])
    assert audiences.lines_of(audience.paths) == ["instance.owner", "email: instance.contact_email"]
    page = text_of(admin_client.get(LIST))
    for source in (
        "all active users",
        "group Editors",
        "chosen users",
        "instance.owner",
        "email: ops@example.com",
        "on call",
    ):
        assert f"<div>{source}</div>" in page


def test_a_form_that_is_sent_back_unchanged_changes_nothing(admin_client):
    user = make_user()
    audience = make_audience(users=[user], paths="instance.owner", addresses="email: ops@example.com")
    assert saved(submit(admin_client, page_of(audience), {}))
    assert list(audience.users.all()) == [user]
    assert Audience.objects.values().get() == Audience.objects.filter(paths="instance.owner").values().get()


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"paths": "instance..owner"}, "paths", "“instance..owner” is not a path."),
        (
            {"paths": "instance.owner\nfax: instance.number"},
            "paths",
            f"there is no channel “fax”. There are: {', '.join(channel_names())}.",
        ),
        (
            {"addresses": "ops@example.com"},
            "addresses",
            "write the channel first, as in “email: ops@example.com”",
        ),
        ({"addresses": "fax: 12345"}, "addresses", "“fax: 12345”: write the channel first"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_an_audience_that_means_nobody_is_refused_at_its_field(admin_client, changes, field, text):
    response = submit(admin_client, ADD, {"name": "Wrong"} | changes)
    assert list(errors_in(response)) == [field]
    assert text in errors_in(response)[field][0]
    assert not Audience.objects.exists()


def test_a_path_that_a_triggers_model_lacks_is_pointed_at(admin_client):
    audience = make_audience(paths="instance.title")
    make_trigger(audiences=[audience])
    response = submit(admin_client, page_of(audience), {"paths": "instance.title\ninstance.owner"})
    [text] = errors_in(response)["paths"]
    assert text.startswith("“instance.owner”: post has nothing called “owner”")


def test_the_form_does_not_grow_with_the_number_of_users(admin_client, queries_of):
    audience = make_audience(users=[make_user()])
    before, few = len(text_of(admin_client.get(page_of(audience)))), queries_of(page_of(audience))
    make_people(2_000)
    assert len(text_of(admin_client.get(page_of(audience)))) == before
    assert queries_of(page_of(audience)) == few


def test_chosen_users_are_shown_by_name(admin_client):
    ada = make_user(username="ada")
    page = text_of(admin_client.get(page_of(make_audience(users=[ada]))))
    assert f'<option value="{ada.pk}" selected>ada</option>' in page
    assert "admin-autocomplete" in page


def test_users_are_found_by_typing(admin_client):
    make_user(username="ada")
    bo = make_user(username="bo")
    query = {"app_label": "notifier", "model_name": "audience", "field_name": "users", "term": "bo"}
    assert admin_client.get("/admin/autocomplete/", query).json()["results"] == [
        {"id": str(bo.pk), "text": "bo"}
    ]


def test_users_are_given_by_number_where_their_own_admin_is_not_there(admin_client):
    user_model = get_user_model()
    users, user = admin.site.get_model_admin(user_model), make_user()
    admin.site.unregister(user_model)
    try:
        [field] = [part for part in text_of(admin_client.get(ADD)).split("<input ") if 'name="users"' in part]
        assert field.startswith('type="text"')
        assert saved(submit(admin_client, ADD, {"name": "By number", "users": str(user.pk)}))
    finally:
        admin.site.register(user_model, type(users))
    assert list(Audience.objects.get().users.all()) == [user]


def test_more_users_than_a_form_can_hold_are_counted_and_kept(admin_client):
    make_people(MOST_USERS_IN_FORM + 1)
    audience = make_audience(users=get_user_model().objects.filter(username__startswith="crowd"))
    page = text_of(admin_client.get(page_of(audience)))
    assert f"More than {MOST_USERS_IN_FORM}, too many to show here." in page
    assert "crowd" not in page
    assert saved(submit(admin_client, page_of(audience), {"name": "Renamed"}))
    assert Audience.objects.get().name == "Renamed"
    assert audience.users.count() == MOST_USERS_IN_FORM + 1


def test_the_page_says_which_triggers_use_the_audience(admin_client):
    audience = make_audience(everyone=True)
    trigger = make_trigger(audiences=[audience])
    link = f'<a href="/admin/notifier/trigger/{trigger.pk}/change/">{trigger}</a>'
    assert link in text_of(admin_client.get(page_of(audience)))
    assert link in text_of(admin_client.get(LIST))


def test_the_list_of_audiences_takes_as_many_queries_for_thirty_as_for_three(queries_of):
    def make(number):
        for _ in range(number):
            group = Group.objects.create(name=f"group {Group.objects.count()}")
            make_trigger(audiences=[make_audience(users=[make_user()], groups=[group])])

    make(3)
    few = queries_of(LIST)
    make(27)
    assert queries_of(LIST) == few


# Contact points


def test_a_contact_point_is_set(admin_client):
    user = make_user()
    assert saved(
        submit(
            admin_client,
            ADD_POINT,
            {"user": user.pk, "channel": "sms", "address": "+447400123401", "verified": "on"},
        )
    )
    assert ContactPoint.objects.filter(
        user=user, channel="sms", address="+447400123401", verified=True
    ).exists()


def test_a_second_contact_point_on_a_channel_is_refused(admin_client):
    user = make_user()
    ContactPoint.objects.create(user=user, channel="sms", address="+447400123401")
    response = submit(
        admin_client, ADD_POINT, {"user": user.pk, "channel": "sms", "address": "+447400123402"}
    )
    assert errors_in(response) == {"": ["Contact point with this User and Channel already exists."]}


def test_a_contact_point_on_an_unknown_channel_is_refused(admin_client):
    response = submit(admin_client, ADD_POINT, {"user": make_user().pk, "channel": "fax", "address": "12345"})
    assert errors_in(response) == {"channel": ["No such channel: fax."]}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=ada", {"+447400111111", "@ada"}),  # the user's name
        ("q=111", {"+447400111111"}),  # a part of the address
        ("channel=twitter", {"@ada"}),
        ("verified__exact=0", {"+447400222222"}),
        ("q=nobody", set()),
    ],
)
def test_contact_points_are_found(admin_client, query, found):
    ada, bo = make_user(username="ada"), make_user(username="bo")
    ContactPoint.objects.create(user=ada, channel="sms", address="+447400111111")
    ContactPoint.objects.create(user=ada, channel="twitter", address="@ada")
    ContactPoint.objects.create(user=bo, channel="sms", address="+447400222222", verified=False)
    page = admin_client.get(f"{POINTS}?{query}")
    assert {point.address for point in page.context["cl"].result_list} == found


def test_the_list_of_contact_points_takes_as_many_queries_for_thirty_as_for_three(queries_of):
    def make(number):
        for _ in range(number):
            ContactPoint.objects.create(user=make_user(), channel="sms", address="+447400123401")

    make(3)
    few = queries_of(POINTS)
    make(27)
    assert queries_of(POINTS) == few


# The demo's own pages


@pytest.mark.parametrize("name", ["flashsale", "post", "movie", "profile"])
def test_the_demos_pages_open(admin_client, name):
    assert admin_client.get(f"/admin/demo/{name}/").status_code == 200
    assert admin_client.get(f"/admin/demo/{name}/add/").status_code == 200
