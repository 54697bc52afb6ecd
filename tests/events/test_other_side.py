"""A change of a many-to-many relation is told of the objects at both its ends, whichever was asked."""

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from notifier.events import other_side
from notifier.models import Event
from notifier.rules import signals
from tests.app.models import Club, Order, Person
from tests.support.builders import make_trigger, make_user
from tests.support.statements import statements

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def make_rule(model, condition='action == "post_add"', **options):
    text = "{{ instance }} {{ action }} {{ reverse }} {{ pk_set|join:',' }} {{ model }}"
    return make_trigger(
        verb="m2m_changed", model=model, condition=condition, contents={"email": {"text": text}}, **options
    )


def told():
    """``(name of the trigger, action, key of the object, reverse, keys)`` of each event, oldest first."""
    events = Event.objects.order_by("pk").values_list("trigger__name", "action_object", "data")
    return [
        (name, data["action"], label.rpartition(":")[2], data["reverse"], data["pk_set"])
        for name, label, data in events
    ]


def forward_add(user, group):
    user.groups.add(group)


def reverse_add(user, group):
    group.user_set.add(user)


def forward_set(user, group):
    user.groups.set([group])


def reverse_set(user, group):
    group.user_set.set([user])


@pytest.mark.parametrize("add", [forward_add, reverse_add, forward_set, reverse_set])
def test_both_sides_hear_of_an_addition(add):
    make_rule("auth.user", name="user")
    make_rule("auth.group", name="group")
    user, group = make_user(), Group.objects.create(name="Readers")
    add(user, group)
    assert sorted(told()) == [
        ("group", "post_add", str(group.pk), True, [user.pk]),
        ("user", "post_add", str(user.pk), False, [group.pk]),
    ]


ENDS = [
    # what is done, the actions that both sides hear of
    (lambda user, group: user.groups.remove(group), "remove"),
    (lambda user, group: group.user_set.remove(user), "remove"),
    (lambda user, group: user.groups.set([]), "remove"),
    (lambda user, group: group.user_set.set([]), "remove"),
    (lambda user, group: user.groups.clear(), "clear"),
    (lambda user, group: group.user_set.clear(), "clear"),
    (lambda user, group: group.user_set.set([], clear=True), "clear"),
]


@pytest.mark.parametrize(("act", "action"), ENDS)
def test_both_sides_hear_of_an_end(act, action):
    user, group, other = make_user(), Group.objects.create(name="Readers"), make_user()
    group.user_set.add(user)
    for name in "user", "group":
        make_rule(f"auth.{name}", f'action == "pre_{action}" or action == "post_{action}"', name=name)
    act(user, group)
    about = {(name, action, key) for name, action, key, _reverse, _keys in told()}
    assert about == {
        (name, f"{when}_{action}", str(each.pk))
        for name, each in (("user", user), ("group", group))
        for when in ("pre", "post")
    }
    assert str(other.pk) not in {key for name, _action, key in about if name == "user"}


def test_a_clear_leaves_nothing_behind():
    make_rule("auth.user", 'action == "post_clear"')
    user, group = make_user(), Group.objects.create(name="Readers")
    group.user_set.add(user)
    group.user_set.clear()
    assert len(told()) == 1
    group.user_set.clear()
    assert len(told()) == 1


def test_a_reverse_change_of_many_is_read_a_page_at_a_time(monkeypatch):
    monkeypatch.setattr(other_side, "PAGE_SIZE", 2)
    make_rule("auth.user")
    users, group = [make_user() for _ in range(5)], Group.objects.create(name="Readers")
    group.user_set.add(*users)
    assert {key for _, _, key, *_ in told()} == {str(user.pk) for user in users}


def test_a_model_whose_other_end_no_trigger_names_costs_no_query():
    make_rule("auth.user", 'action == "never"')
    group, user = Group.objects.create(name="Readers"), make_user()
    with statements() as found:
        user.groups.add(group)
    assert {"SELECT auth_user", "SELECT auth_group"}.isdisjoint(found)


def people():
    return Person.objects.create(name="Ada"), Person.objects.create(name="Bo")


def test_a_symmetrical_relation_to_ones_own_kind_is_told_of_both():
    make_rule("shop.person", name="x")
    ada, bo = people()
    ada.friends.add(bo)
    ada.friends.add(ada)
    assert told() == [
        ("x", "post_add", str(ada.pk), False, [bo.pk]),
        ("x", "post_add", str(bo.pk), False, [ada.pk]),
        ("x", "post_add", str(ada.pk), False, [ada.pk]),
    ]


@pytest.mark.parametrize(
    "add",
    [lambda ada, bo: ada.follows.add(bo), lambda ada, bo: bo.followers.add(ada)],
    ids=["follows", "followers"],
)
def test_a_relation_one_way_to_ones_own_kind_says_which_end(add):
    make_rule("shop.person", 'action == "post_add" and not reverse', name="follows")
    make_rule("shop.person", 'action == "post_add" and reverse', name="is followed")
    ada, bo = people()
    add(ada, bo)
    assert sorted(told()) == [
        ("follows", "post_add", str(ada.pk), False, [bo.pk]),
        ("is followed", "post_add", str(bo.pk), True, [ada.pk]),
    ]


@pytest.mark.parametrize(
    "add",
    [lambda club, ada: club.members.add(ada), lambda club, ada: ada.clubs.add(club)],
    ids=["club", "person"],
)
def test_rows_of_a_model_of_ones_own_and_another_key(add):
    make_rule("shop.club", name="club")
    make_rule("shop.person", name="person")
    club, ada = Club.objects.create(code="chess"), people()[0]
    add(club, ada)
    assert sorted(told()) == [
        ("club", "post_add", str(club.pk), False, [ada.pk]),
        ("person", "post_add", str(ada.pk), True, ["chess"]),
    ]


def test_one_instance_and_its_own_fields_count_on_either_side():
    ada, bo, group = make_user(username="ada"), make_user(username="bo"), Group.objects.create(name="Readers")
    make_rule("auth.user", object_pk=str(ada.pk), name="one")
    make_rule("auth.user", 'action == "post_add" and instance.username == "bo"', name="by name")
    group.user_set.add(ada, bo)
    assert sorted((name, key) for name, _, key, *_ in told()) == [
        ("by name", str(bo.pk)),
        ("one", str(ada.pk)),
    ]


def test_a_relation_without_a_way_back_is_told_of_the_one_end_alone():
    make_rule("shop.order", name="order")
    make_rule("auth.user", name="user")
    Order.objects.create().watchers.add(make_user())
    assert [name for name, *_ in told()] == ["order"]


def test_what_is_rolled_back_is_not_told():
    make_rule("auth.user")
    user, group = make_user(), Group.objects.create(name="Readers")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        group.user_set.add(user)
        raise ZeroDivisionError
    assert told() == []


@pytest.mark.parametrize("more", [{}, {"raw": False}], ids=["Django 5", "Django 6.1"])
def test_whether_it_is_a_creation_is_not_asked_of_a_relation(more):
    """From 6.1 on Django says of relations, too, whether a fixture is being loaded."""
    make_rule("auth.user", on="created", name="created")
    make_rule("auth.user", on="updated", name="updated")
    user, group = make_user(), Group.objects.create(name="Readers")
    sent = {"action": "post_add", "reverse": False, "model": Group, "pk_set": {group.pk}, "using": "default"}
    signals.get("m2m_changed").signal.send(sender=type(user).groups.through, instance=user, **sent, **more)
    assert sorted(name for name, *_ in told()) == ["created", "updated"]
    signals.get("m2m_changed").signal.send(sender=type(user).groups.through, instance=user, **sent, raw=True)
    assert len(told()) == 2
