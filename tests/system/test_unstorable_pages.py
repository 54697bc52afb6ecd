"""Each page on which somebody types, and each address that somebody makes up, with what no column holds: it
is refused in words, and no fault of the server.

A browser and a scanner can send NUL; half a pair of surrogates comes by JSON alone, as Django replaces it in
addresses and forms. What code and providers bring is in ``test_unstorable``.
"""

from functools import partial
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from notifier.models import Budget, Category, Preferences
from tests.admin.browser import filled_in, read_form
from tests.support.builders import make_audience, make_template, make_trigger, make_user
from tests.support.marks import MARK
from tests.support.unstorable import COLUMNS, faults

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rings_nowhere")]

TEXT = f"{MARK}\0"
# What a form of JSON may be sent.
IN_JSON = [rf'["{MARK}\u0000"]', rf'["{MARK}\ud800"]']


@pytest.fixture
def staff():
    client = Client(raise_request_exception=False)
    client.force_login(make_user(is_staff=True, is_superuser=True, username="ada"))
    return client


OURS = [each for each in admin.site._registry if each._meta.app_label == "notifier"]
SEARCHED = [
    # a field that finds rows while one types, by its model
    ("audience", "users"),
    ("audience", "groups"),
    ("contactpoint", "user"),
    ("subscription", "template"),
    ("subscription", "audiences"),
]


def addresses_of(model):
    """A list with something asked in its address: the search box, its own filters, a column, Django's own."""
    own, name = admin.site._registry[model], model._meta.model_name
    names = ["q", *(each.parameter_name for each in own.list_filter if hasattr(each, "parameter_name"))]
    names += [field.attname for field in model._meta.concrete_fields if isinstance(field, COLUMNS)][:1]
    path = "/admin/" if name == "overview" else reverse(f"admin:notifier_{name}_changelist")
    return [f"{path}?{asked}=%00" for asked in (*names, "o", "range", "scope", "_to_field")]


def test_no_list_fails(staff):
    asked = [address for model in OURS for address in addresses_of(model)]
    asked += [
        f"/admin/autocomplete/?app_label=notifier&model_name={model}&field_name={field}&term={MARK}%00"
        for model, field in SEARCHED
    ]
    assert faults({each: partial(staff.get, each) for each in asked}) == {}


def rows():
    trigger = make_trigger(condition="instance.title")
    return [
        trigger,
        trigger.subscriptions.get().template,
        make_audience(addresses="email: a@example.com"),
        Category.objects.create(name="news", title="News"),
        Preferences.objects.create(user=make_user()),
        Budget.objects.create(channel="sms", monthly_usd=1),
    ]


def forms():
    changed = [reverse(f"admin:notifier_{row._meta.model_name}_change", args=[row.pk]) for row in rows()]
    added = [reverse(f"admin:notifier_{name}_add") for name in ("contactpoint", "optout", "suppression")]
    return [*changed, *added]


def is_typed(name):
    return name != "csrfmiddlewaretoken" and not name.endswith(("_FORMS", "-id", "-trigger"))


def test_no_form_of_the_admin_fails(staff):
    acts = {}
    for url in forms():
        values = read_form(staff, url)
        for name in filter(is_typed, values):
            is_json = name.rpartition("-")[2] in ("channels", "providers", "callables", "users", "user")
            for text in [TEXT, *(IN_JSON if is_json else ())]:
                acts[url, name, text] = partial(staff.post, url, filled_in(values, {name: text}))
    assert faults(acts) == {}


TYPED = {
    "when": "post_save:created", "model": "demo.post", "what": "write", "channels": "email", "name": "N",
    "email_subject": "S", "email_body": "B", "whom": "everyone",
}  # fmt: skip


def test_no_page_to_set_up_fails(staff):
    urls = [reverse(f"admin:{name}") for name in ("notifier_setup", "notifier_setup_facts")]
    names = staff.get(urls[0]).context["form"].fields
    acts = {(url, name): partial(staff.post, url, TYPED | {name: TEXT}) for url in urls for name in names}
    assert faults(acts) == {}


def test_no_preview_fails(staff):
    template, url = make_template(), reverse("admin:notifier_template_preview")
    whole = {"template": template.pk, "content": template.contents.get().pk, "channel": "email", "text": "T"}
    more = ("language", "file", "subject", "html", "link", "icon", "event", "person")
    acts = {name: partial(staff.post, url, whole | {name: TEXT}) for name in (*whole, *more)}
    assert faults(acts) == {}


WHY, SITE = "admin:notifier_why", "/notifications/"
BODIES = [
    r'{"up_to": "\u0000"}',
    r'{"up_to": "\ud800"}',
    r'{"\ud800": 1}',
    r'"\ud800"',
    "\0",
    b"\xed\xa0\x80",
]
FORMS = [
    # a page that takes a form, what of it is sent otherwise
    ("/admin/login/", {"username": TEXT, "password": TEXT}),
    ("/admin/notifier/onduty/subscribe/", {"address": f"a{TEXT}@example.com"}),
    *(("/admin/notifier/pause/start/", {"scope": f"{kind}\0"}) for kind in ("", "channel:", "trigger:")),
    ("/admin/notifier/pause/start/", {"scope": "everything", "reason": TEXT}),
    *((SITE, {name: TEXT}) for name in ("read", "archive", "read_all")),
    (f"{SITE}devices/", {"platform": TEXT, "token": "t"}),
    (f"{SITE}devices/", {"platform": "fcm", "token": TEXT}),
    *((f"{SITE}preferences/", {name: TEXT}) for name in ("time_zone", "language", "digest", "quiet_from")),
    *((f"{SITE}preferences/", {name: TEXT}) for name in ("on", "shown", "action")),
    *((f"{SITE}{page}/%00/", {"action": TEXT}) for page in ("preferences", "unsubscribe")),
    (f"{SITE}unsubscribe/u.%00:b/", {"List-Unsubscribe": "One-Click"}),
    (f"{SITE}inbox/%00/read/", {}),
    (f"{SITE}inbox/%00/archive/", {}),
]


def asked():
    """Addresses with something made up in them."""
    for name in "person", "subject", "channel", "since", "until":
        given = {"person": "ada", "subject": "1"} | {name: f"{name}\0"}
        yield f"{reverse(WHY)}?{urlencode(given)}"
    yield f"{reverse(WHY)}people/?q=%00"
    for page in "", "inbox/", "inbox/stream/":
        yield from (f"{SITE}{page}?{name}=%00" for name in ("cursor", "unread", "since", "limit"))
    yield from (f"{SITE}{page}/%00/" for page in ("preferences", "unsubscribe"))


def test_no_page_of_the_site_fails(staff):
    acts = {address: partial(staff.get, address) for address in asked()}
    acts |= {(place, url): partial(staff.post, url, sent) for place, (url, sent) in enumerate(FORMS)}
    for body in BODIES:
        acts[body] = partial(staff.post, f"{SITE}inbox/read/", body, content_type="application/json")
    assert faults(acts) == {}
