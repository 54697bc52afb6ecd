"""From the person who receives, nothing leads to other people: neither in a template that is saved or tried
out, nor in what is read of them live.
"""

import json

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType

from notifier.exceptions import TemplateRefused, UnreadablePath
from notifier.models import Delivery, Template, TemplateContent, Trigger
from notifier.rules import audiences, offers
from notifier.templating import budget, snapshot
from notifier.templating.codec import Encoder
from notifier.templating.contents import compile_content
from notifier.templating.permitted import check_person
from notifier.testing import capture_notifications
from project.demo.models import Movie, Post, Profile
from tests.app.models import Order
from tests.support.builders import make_audience, make_trigger, make_user

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

LEAVES = {"": {}, "email": {"": {}}, "username": {"": {}}, "pk": {"": {}}}
OTHERS = {
    "by a group": "groups.all.*.user_set.all.*",
    "by the first group": "groups.all.first.user_set.all.first",
    "by a permission": "user_permissions.all.*.user_set.all.*",
    "by a permission's groups": "user_permissions.all.*.group_set.all.*.user_set.all.*",
    "by a permission's type": "user_permissions.all.*.content_type.permission_set.all.*.user_set.all.*",
    "by the admin's log of a type": "user_permissions.all.*.content_type.logentry_set.all.*.user",
    "by the admin's log of oneself": "logentry_set.all.*.user",
    "by a film that both like": "movie_set.all.*.audiences.all.*",
    "back to oneself": "profile.user",
    "back to oneself and on": "profile.user.groups.all.*.user_set.all.*",
    "what one may do": "user_permissions.all.*",
    "what one's groups may do": "groups.all.*.permissions.all.*",
    "how many there are": "groups.all.*.user_set.count",
    "by a relation without its all": "groups.*.user_set.*",
}
OWN = {
    "a column": "first_name",
    "a name": "get_full_name",
    "a row of one's own": "profile.phone",
    "one's groups": "groups.all.*.name",
    "how many groups": "groups.all.count",
    "whether there are any": "groups.exists",
    "the text of a row of one's own": "profile",
}


def tree_of(path, leaves=None):
    tree = {"": {}} if leaves is None else leaves
    for name in reversed(path.split(".")):
        tree = {name: tree}
    return tree


def template_of(path):
    """A template that reads what ``path`` says."""
    source, here = "", "user"
    for number, loop in enumerate(path.split(".*")[:-1]):
        source += f"{{% for each{number} in {here}{loop if number or loop[0] == '.' else '.' + loop} %}}"
        here = f"each{number}"
    rest = path.split(".*")[-1]
    rest = rest if not rest or rest[0] == "." else f".{rest}"
    return f"{source}{{{{ {here}{rest} }}}}" + "{% endfor %}" * path.count(".*")


@pytest.mark.parametrize("path", OTHERS.values(), ids=OTHERS)
def test_a_way_to_others_is_refused_whether_or_not_a_trigger_sends_it(path):
    with pytest.raises(UnreadablePath):
        check_person(tree_of(path, LEAVES))
    trigger = Trigger(verb="post_save", model="demo.post", name="t")
    with pytest.raises(UnreadablePath):
        offers.check_paths({"user": tree_of(path, LEAVES)}, trigger)
    for part in ("text", "subject", "html"):
        with pytest.raises(TemplateRefused) as refused:
            compile_content(**{"subject": "", "text": "", "html": "", part: template_of(path)})
        assert refused.value.part == part
    content = TemplateContent(
        template=Template.objects.create(name="t"), channel="email", text=template_of(path)
    )
    with pytest.raises(TemplateRefused):
        content.save()


@pytest.mark.parametrize("path", OTHERS.values(), ids=OTHERS)
def test_nor_is_anything_read_that_way(path):
    found = audiences.read_people([_ann().pk], tree_of(path, LEAVES))
    text = json.dumps(list(found.values()), cls=Encoder)
    assert "b0b" not in text
    assert not path.startswith("profile") or "ann" not in text.replace('"": "Profile of ann"', "")


def _ann():
    """Somebody who has everything in common with somebody else."""
    ann, bob = make_user(username="ann", email="a@ann"), make_user(username="b0b", email="b@b0b")
    group, film = Group.objects.create(name="both"), Movie.objects.create(title="Both")
    permission = Permission.objects.get(
        content_type=ContentType.objects.get_for_model(Movie), codename="add_movie"
    )
    group.permissions.add(permission)
    film.audiences.set([ann, bob])
    for user in (ann, bob):
        user.groups.add(group)
        user.user_permissions.add(permission)
        Profile.objects.create(user=user, phone="+4412")
        user.logentry_set.create(content_type=permission.content_type, object_repr="b0b", action_flag=1)
    return ann


@pytest.mark.parametrize("path", OWN.values(), ids=OWN)
def test_what_is_their_own_is_read(path):
    check_person(tree_of(path))
    ann = _ann()
    found = audiences.read_people([ann.pk], tree_of(path))[ann.pk]
    for name in path.split("."):
        found = found[0 if name == "*" else name]
    assert found not in (None, "", [])


def test_an_event_s_object_may_lead_to_people_as_it_is_meant_to():
    order = Order.objects.create(number="1")
    order.watchers.add(_ann())
    compile_content("", "{% for each in instance.watchers.all %}{{ each.email }}{% endfor %}", "")


def test_a_secret_of_theirs_is_not_read_whoever_asks_for_it():
    ann = _ann()
    found = audiences.read_people([ann.pk], {"password": {"": {}}, "email": {"": {}}})
    assert found == {ann.pk: {"model": "auth.user", "pk": ann.pk, "email": "a@ann"}}


def test_too_much_of_one_person_fails_their_message_and_no_other(monkeypatch):
    many, few = make_user(first_name="Many"), make_user(first_name="Few")
    for number in range(3):
        many.groups.add(Group.objects.create(name=f"g{number}"))
    monkeypatch.setattr(budget, "MAX_OBJECTS", 3)
    text = "Hello {{ user.first_name }}{% for each in user.groups.all %}{{ each.name }}{% endfor %}"
    with capture_notifications() as sent:
        make_trigger(contents={"email": {"text": text}}, audiences=[make_audience(users=[many, few])])
        Movie.objects.create(title="x")
        Post.objects.create(title="x")
    assert [message.text for message in sent] == ["Hello Few"]
    failed = Delivery.objects.exclude(status="sent").get()
    assert (failed.reason, "More than 3 objects" in failed.detail) == ("template_failed", True)


COLUMNS = {
    "with a secret among them": lambda people: people.values_list("username", "password"),
    "a secret alone": lambda people: people.values_list("password", flat=True),
    "all of them": lambda people: people.values_list(),
    "by their names": lambda people: people.values_list("pk", "password", named=True),
    "by a relation": lambda people: Group.objects.values_list("user__password"),
}


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
def test_columns_without_their_names_are_not_kept_where_a_secret_is_among_them(columns):
    make_user(password="s3cret").groups.add(Group.objects.create(name="a"))
    people = User.objects.all()
    assert snapshot.freeze({"it": columns(people)}, {"it": {"": {}}}) == {"it": None}
    kept = snapshot.freeze({"it": people.values_list("is_active")}, {"it": {"": {}}})
    assert kept == {"it": [[True]]}
    assert "s3cret" not in str(snapshot.freeze({"it": people.values()}, {"it": {"": {}}}))
