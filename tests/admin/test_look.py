"""The admin's frame: a sidebar in the order of the work, with what one may see, and users and groups in the
same look.
"""

import re
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client
from unfold.settings import CONFIG_DEFAULTS

import notifier
from notifier.admin import display
from notifier.models import Delivery, Event, Trigger
from project import look
from tests.support.builders import make_audience, make_trigger, make_user

from .browser import read_form, saved, submit, text_of

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

STYLES = (Path(notifier.__file__).parent / "static/notifier/admin.css").read_text()


def sidebar_of(client, path="/admin/"):
    """Title → its entries' titles, as the page shows them."""
    groups = client.get(path, follow=True).context["sidebar_navigation"]
    return {str(group["title"]): [str(item["title"]) for item in group["items"]] for group in groups}


def test_the_sidebar_is_in_the_order_of_the_work(admin_client):
    found = sidebar_of(admin_client)
    assert list(found)[:4] == ["", "Rules", "What came of it", "People"]
    assert found[""][-1] == "Set up"
    assert found["Rules"] == ["Triggers", "Templates", "Audiences", "Categories"]
    came = ["Events", "Deliveries", "Inbox items", "Pauses", "Budgets", "Those on duty", "Why?"]
    assert found["What came of it"] == came
    assert found["People"][:2] == ["Users", "Groups"]
    assert found["People"][2:] == [
        "Contact points",
        "Devices",
        "Preferences",
        "Opt-outs",
        "Suppressed addresses",
    ]
    # The project's own models before those of what was installed.
    assert list(found).index("Demo shop") < list(found).index("Axes")


def test_the_sidebar_holds_what_one_may_see(client_with):
    assert list(sidebar_of(client_with("view_event"))) == ["", "What came of it"]
    assert sidebar_of(client_with("view_template")) == {"": ["Start"], "Rules": ["Templates"]}
    # Not a page that would refuse them.
    assert sidebar_of(client_with("view_delivery"))[""] == ["Overview"]


def test_the_page_that_one_is_on_is_marked_and_it_alone(admin_client):
    for path, title in {
        "/admin/notifier/trigger/add/": "Triggers",
        "/admin/notifier/trigger/setup/": "Set up",
    }.items():
        groups = admin_client.get(path).context["sidebar_navigation"]
        assert [str(item["title"]) for group in groups for item in group["items"] if item["active"]] == [
            title
        ]


@pytest.mark.parametrize(
    ("stage", "shown"),
    [
        ("production", ["Production", "danger"]),
        ("staging_eu", ["Staging eu", "warning"]),
        # Without Zappa's own word for it, nobody is told that it does not matter
        (None, ["Production", "danger"]),
    ],
)
def test_where_one_is_stands_beside_the_title(monkeypatch, stage, shown):
    assert look.stage(None) == ["This machine", "info"]
    monkeypatch.setattr(look, "LOCAL", False)
    if stage:
        monkeypatch.setenv("STAGE", stage)
    assert look.stage(None) == shown


# Who may only look


def test_somebody_who_may_only_look_gets_no_button_that_would_be_refused(client_with):
    trigger = make_trigger()
    pages = {
        "trigger": (trigger, ["view_trigger", "view_subscription"]),
        "audience": (make_audience(everyone=True), ["view_audience"]),
        "template": (trigger.subscriptions.get().template, ["view_template"]),
    }
    for name, (row, permissions) in pages.items():
        client = client_with(*permissions)
        assert "Set up" not in text_of(client.get(f"/admin/notifier/{name}/"))
        page = text_of(client.get(f"/admin/notifier/{name}/{row.pk}/change/"))
        for button in ('name="_save"', 'name="_continue"', "/delete/", f"/admin/notifier/{name}/add/"):
            assert button not in page, (name, button)


def test_a_trigger_says_what_it_does_on_its_page_and_what_came_of_it(admin_client):
    trigger = make_trigger(on="created", shadow=True)
    page = text_of(admin_client.get(f"/admin/notifier/trigger/{trigger.pk}/change/"))
    assert "When a Post is created, e-mail all active users." in page
    assert "It is only tried" in page
    assert "None yet." in page


# Shared by all pages


@pytest.mark.parametrize(
    "path", ["/admin/login/", "/admin/auth/user/", "/admin/notifier/event/why/", "/admin/notifier/overview/"]
)
def test_every_page_has_the_shared_styles_and_can_be_seen_without_scripts(admin_client, path):
    client = Client() if path.endswith("/login/") else admin_client
    assert "notifier/admin.css" in text_of(client.get(path))
    # unfold's own rule hides what is marked so until its scripts have run.
    assert re.search(
        r"@media \(scripting: none\) \{\s+html\[x-cloak\] \{ display: block !important; \}", STYLES
    )


def test_every_status_that_is_no_step_on_the_way_has_a_colour_of_its_own():
    on_the_way = {"queued", "waiting", "claimed", "sending", "recorded", "fanning_out"}
    assert {*Delivery.Status.values, *Event.Status.values} - on_the_way == {
        str(name) for name in display.TONES
    } - {"live", "off"}
    for tone in display.TONES.values():
        assert f".notifier-{tone} {{ color:" in STYLES


def test_a_list_with_nothing_says_what_would_be_there_and_a_search_how_to_see_all(admin_client):
    assert "No events yet." in text_of(admin_client.get("/admin/notifier/event/"))
    page = text_of(admin_client.get("/admin/notifier/audience/"))
    assert "No audiences yet." in page
    assert "Add audience" in page
    assert "Nothing fits what you look for." in text_of(admin_client.get("/admin/notifier/audience/?q=linen"))


# Users and groups


def test_a_user_is_added_and_given_permissions_by_search(admin_client):
    password = {"password1": "linen-and-wool", "password2": "linen-and-wool"}
    assert saved(submit(admin_client, "/admin/auth/user/add/", {"username": "ada", **password}))
    ada = get_user_model().objects.get(username="ada")
    wanted, group = Permission.objects.get(codename="add_trigger"), Group.objects.create(name="Editors")
    path = f"/admin/auth/user/{ada.pk}/change/"
    assert saved(
        submit(admin_client, path, {"is_staff": "on", "user_permissions": [wanted.pk], "groups": [group.pk]})
    )
    assert (list(ada.user_permissions.all()), list(ada.groups.all())) == ([wanted], [group])
    # What is there stays where somebody changes something else.
    assert saved(submit(admin_client, path, {"first_name": "Ada"}))
    assert list(ada.user_permissions.all()) == [wanted]


def test_permissions_are_found_by_typing_and_are_nobodys_to_change(admin_client):
    query = {"app_label": "auth", "model_name": "group", "field_name": "permissions", "term": "retry"}
    [found] = admin_client.get("/admin/autocomplete/", query).json()["results"]
    assert "retry" in found["text"]
    assert admin_client.get("/admin/auth/permission/add/").status_code == 403
    assert "/admin/auth/permission/" not in text_of(admin_client.get("/admin/", follow=True))


def test_a_group_keeps_its_permissions(admin_client):
    group = Group.objects.create(name="Editors")
    group.permissions.set(Permission.objects.filter(codename="add_trigger"))
    path = f"/admin/auth/group/{group.pk}/change/"
    assert read_form(admin_client, path)["permissions"] == [str(group.permissions.get().pk)]
    assert saved(submit(admin_client, path, {"name": "Writers"}))
    assert group.permissions.count() == 1


def test_signing_in_at_the_bare_page_leads_to_the_first_one(settings):
    user = make_user(username="ada", is_staff=True)
    user.set_password("linen-and-wool")
    user.save()
    answer = Client().post("/admin/login/", {"username": "ada", "password": "linen-and-wool"})
    assert (answer.status_code, answer.url) == (302, "/admin/")
    assert not Trigger.objects.exists()


# Colours


def luminance(colour):
    """https://www.w3.org/TR/WCAG21/#dfn-relative-luminance"""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


# What unfold puts behind a text: its page and the stripe of a list, in light and in dark.
LIGHT, DARK = ("#ffffff", "#f9fafb"), ("#101828", "#1e2939")


@pytest.mark.parametrize("pair", re.findall(r"light-dark\((#\w{6}), (#\w{6})\)", STYLES))
def test_every_word_in_colour_can_be_read_in_light_and_in_dark(pair):
    light, dark = pair
    assert all(contrast(light, ground) >= 4.5 for ground in LIGHT), light
    assert all(contrast(dark, ground) >= 4.5 for ground in DARK), dark


def test_every_colour_that_unfold_has_stands_in_the_file_and_none_in_a_page(admin_client):
    colours = (Path(notifier.__file__).parent / "static/notifier/colours.css").read_text()
    names = {f"--color-{name}-{weight}" for name, of in CONFIG_DEFAULTS["COLORS"].items() for weight in of}
    assert {*re.findall(r"(--color-[\w-]+):", colours)} == names
    assert "<style" not in admin_client.get("/admin/notifier/trigger/").content.decode()
