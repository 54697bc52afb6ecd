"""A preview and a test-send show what their asker may see: roles against what is asked for.

Checked with a content that no trigger sends, which nothing else would check before it is read.
"""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client

from notifier.exceptions import TemplateRefused
from notifier.explaining import preview
from notifier.models import Delivery, TemplateContent
from tests.support.builders import make_event, make_template, make_user

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

PREVIEW, SEND = "/admin/notifier/template/preview/", "/admin/notifier/template/send-to-me/"
SECRET = "other-person@hidden.example"
SAVED, TYPED = "As it is saved", "As it is typed"

TO_OTHERS = [
    "{% for g in user.groups.all %}{% for u in g.user_set.all %}{{ u.email }}{% endfor %}{% endfor %}",
    "{% for p in user.user_permissions.all %}{% for g in p.group_set.all %}{% for u in g.user_set.all %}"
    "{{ u.email }}{% endfor %}{% endfor %}{% endfor %}",
    "{% for p in user.user_permissions.all %}{% for l in p.content_type.logentry_set.all %}"
    "{{ l.user.email }}{% endfor %}{% endfor %}",
    "{{ user.groups.first.user_set.first.email }}",
    "{% with g=user.groups.first %}{% with u=g.user_set.last %}{{ u.email }}{% endwith %}{% endwith %}",
    "{% if user.groups.first.user_set.first.email %}yes{% endif %}",
    "{{ user.groups.all.0.user_set.all.0.email|default:'' }}",
    "{% for g in user.groups.all %}{{ g.user_set.count }}{{ g.user_set.first }}{% endfor %}",
    "{{ user.password }}",
]
PARTS = ("subject", "text", "html", "link", "icon")


@pytest.fixture
def friends():
    """Somebody who shares a group, and a permission, with whoever asks."""
    group = Group.objects.create(name="Everybody")
    make_user(email=SECRET).groups.add(group)
    group.permissions.set(Permission.objects.filter(codename="view_template"))
    return group


def client_of(*codenames, group=None, **values):
    user = make_user(is_staff=True, email="me@example.com", **{"first_name": "Me"} | values)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    if group:
        user.groups.add(group)
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("source", TO_OTHERS)
def test_a_way_from_the_person_to_others_is_refused_before_anything_is_read(friends, source, part):
    content = TemplateContent(channel="email", **({"text": "x"} | {part: source}))
    with pytest.raises(TemplateRefused):
        content.compile()
    found = preview.preview(content, person=get_user_model().objects.get(email=SECRET))
    assert [error.part for error in found.errors] == [part]
    assert not any(found.parts.values())


@pytest.mark.parametrize("permission", ["add_template", "change_template"])
@pytest.mark.parametrize("source", TO_OTHERS)
def test_nor_does_the_page_read_it_for_an_editor(friends, source, permission):
    client = client_of(permission, group=friends)
    for url in PREVIEW, SEND:
        response = client.post(url, {"channel": "email", "subject": "x", "text": source})
        assert SECRET not in response.content.decode()
    assert not Delivery.objects.exists()


# permissions → what is asked for → what is shown; None is a refusal
ROLES = {
    "nothing": ([], dict.fromkeys(("typed", "saved", "new", "saved of another"))),
    "views": (["view_template"], {"typed": SAVED, "saved": SAVED, "new": None, "saved of another": None}),
    "changes": (
        ["change_template"],
        {"typed": TYPED, "saved": SAVED, "new": TYPED, "saved of another": ""},
    ),
    "adds": (["add_template"], {"typed": TYPED, "saved": "", "new": TYPED, "saved of another": ""}),
    "views and adds": (
        ["view_template", "add_template"],
        {"typed": SAVED, "saved": SAVED, "new": TYPED, "saved of another": None},
    ),
    "deletes": (["delete_template"], dict.fromkeys(("typed", "saved", "new", "saved of another"))),
    "changes contents alone": (
        ["change_templatecontent", "view_templatecontent", "view_event", "view_recipients"],
        dict.fromkeys(("typed", "saved", "new", "saved of another")),
    ),
}


@pytest.fixture
def asked():
    content = make_template({"email": {"subject": "x", "text": SAVED}}).contents.get()
    foreign = make_template({"email": {"text": "Of another template"}}).contents.get()
    keys = {"template": content.template_id, "content": content.pk}
    typed = {"channel": "email", "subject": "x", "text": TYPED}
    return {
        "typed": keys | typed,
        "saved": keys,
        "new": typed,
        "saved of another": keys | {"content": foreign.pk},
    }


@pytest.mark.parametrize("url", [PREVIEW, SEND])
@pytest.mark.parametrize("role", ROLES)
def test_what_is_typed_is_shown_to_who_may_save_it_and_what_is_saved_to_who_may_view_it(asked, role, url):
    permissions, expected = ROLES[role]
    client = client_of(*permissions)
    for name, sent in asked.items():
        response = client.post(url, sent)
        if url == SEND and role == "views" or expected[name] is None:
            assert response.status_code == 403, name
        elif url == PREVIEW:
            assert response.json()["text"] == expected[name], name
        else:
            assert response.json()["sent"] == bool(expected[name]), name
    sent = {delivery.version.text for delivery in Delivery.objects.all()} if url == SEND else set()
    assert sent <= set(expected.values())


@pytest.mark.parametrize("codenames", [["add_template"], ["add_template", "view_event", "view_recipients"]])
def test_who_may_only_add_reads_no_layout_and_no_event_of_others(codenames):
    make_template({"email": {"text": "Saved words {% block more %}{% endblock %}"}})
    name = TemplateContent.objects.get().template.name
    event = make_event(
        contents={"email": {"text": "{{ instance.title }}"}}, data={"instance": {"title": "Of an event"}}
    )
    of_event = event.trigger.subscriptions.get().template
    client = client_of(*codenames)
    texts = [f'{{% extends "{name}" %}}', '{% extends "no-such" %}', "{{ instance.title }}"]
    for text in texts:
        keys = {"template": of_event.pk, "event": event.pk, "content": of_event.contents.get().pk}
        for url in PREVIEW, SEND:
            said = client.post(url, keys | {"channel": "email", "subject": "x", "text": text}).json()
            words = str(said)
            assert "Saved words" not in words
            assert "Of an event" not in words
            assert of_event.name not in words
    assert name in str(
        client_of("change_template").post(PREVIEW, {"channel": "email", "text": texts[1]}).json()
    )


@pytest.mark.parametrize("missing", ["view_event", "view_recipients", ""])
def test_an_events_data_is_shown_to_who_may_see_it(missing):
    event = make_event(
        contents={"email": {"text": "{{ instance.title }}"}}, data={"instance": {"title": "Of an event"}}
    )
    content = event.trigger.subscriptions.get().template.contents.get()
    wanted = {"change_template", "view_event", "view_recipients"} - {missing}
    keys = {"template": content.template_id, "event": event.pk, "content": content.pk}
    found = client_of(*wanted).post(PREVIEW, keys).json()
    assert ("Of an event" in found["text"]) == (not missing)


ODD = ["9" * 20, "9" * 18, "-1", "0", "x", "1.5", " 1", "", "٣", "1" * 400]


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("name", ["template", "content", "event"])
@pytest.mark.parametrize("permission", ["view_template", "add_template", "change_template"])
def test_odd_keys_are_those_of_no_row(asked, name, value, permission):
    client = client_of(permission, "view_event", "view_recipients")
    for sent in asked.values():
        for url in PREVIEW, SEND:
            assert client.post(url, sent | {name: value}).status_code in (200, 403)


@pytest.mark.parametrize(
    ("values", "status"), [({"is_staff": False}, 302), ({"is_active": False}, 302)], ids=["no staff", "left"]
)
def test_who_is_no_staff_or_has_left_is_asked_to_sign_in(asked, values, status):
    client = client_of("change_template", "add_template")
    get_user_model().objects.filter(pk=client.session["_auth_user_id"]).update(**values)
    for sent in asked.values():
        assert client.post(PREVIEW, sent).status_code == client.post(SEND, sent).status_code == status
