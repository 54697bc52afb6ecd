"""One bad row never breaks a list: each column of each model in turn holds what nobody would write.

The row stands beside a good one of each model. The lists still come and show the good row, and the bad row
has its page. A new model or column is covered by being there.
"""

import io

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import transaction
from django.db.models.query import QuerySet
from django.test import Client
from django.urls import NoReverseMatch, reverse

from notifier.models import (
    Category,
    ContentVersion,
    Delivery,
    Event,
    OptOut,
    Pause,
    Subscription,
    Template,
    TemplateContent,
    Trigger,
)
from notifier.people import link_tokens
from project.demo.models import Post
from tests.support.builders import make_user
from tests.support.odd_rows import odd_columns, odd_rows
from tests.support.planting import plant, planted_models
from tests.support.sizes import every_or

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rings_nowhere")]

MODELS = [model for model in planted_models(["notifier"]) if odd_columns(model)]
# Where the clocks are twelve hours ahead of UTC: the last day of the calendar has no evening there.
ZONE = "Pacific/Auckland"
# The pages that read a row beside its own, by what they are about.
OF_EVENTS = ["event", "delivery", "deliveries", "events", "why", "period"]
OF_PERSON = ["why", "period", "object", "preferences", "unsubscribe", "inbox", "items", "stream", "export"]
READERS = {
    **dict.fromkeys(("event", "delivery", "attempt", "feedback"), [*OF_EVENTS, "export", "overview"]),
    "trigger": ["trigger", "event", "why", "object", "set-up", "overview"],
    "subscription": ["trigger", "template", "event", "why", "overview"],
    "template": ["trigger", "template", "versions", "why", "set-up"],
    "audience": ["trigger", "why", "object", "set-up"],
    "templatecontent": ["trigger", "template", "versions", "why", "set-up"],
    "contentversion": ["template", "versions", "event", "delivery", "why"],
    **dict.fromkeys(("optout", "preferences", "inbox", "inboxitem", "device"), OF_PERSON),
    **dict.fromkeys(("contactpoint", "suppression", "allowance"), ["why", "object", "export", "delivery"]),
    "category": ["trigger", "preferences", "unsubscribe", "why", "inbox", "items", "set-up"],
    "pause": ["overview", "event", "why", "object", "deliveries", "trigger"],
    "budget": ["overview", "why", "object"],
    "rate": ["overview", "pauses", "why"],
    "gauge": ["overview", "duty"],
}
OTHERS = ["overview"]


class World:
    """A row of each model, of one person and related to one another."""

    def __init__(self, number, **working):
        self.person = make_user(username=f"person{number}", email=f"person{number}@example.com")
        self.rows = plant(lambda field: f"{number} good {field.name}", user=self.person, working=working)
        subscription, version, trigger = (self[each] for each in (Subscription, ContentVersion, Trigger))
        self._put(
            Event,
            plan=[{"subscription": subscription.pk, "contents": {"email": {"": version.pk}}}],
            explanation=[{"trigger": trigger.pk, "name": trigger.name, "because": ""}],
            action_object=f"demo.post:{self[Post].pk}",
            actor=f"auth.user:{self.person.pk}",
            trigger=trigger.pk,
            category=self[Category].pk,
            status="done",
        )
        self._put(Delivery, subscription=subscription.pk, version=version.pk, address=self.person.email)
        self._put(Delivery, status="failed", reason="error")
        self._put(TemplateContent, version=version.pk)
        self._put(ContentVersion, content=self[TemplateContent].pk)

    def __getitem__(self, model):
        return self.rows[model]

    def _put(self, model, **values):
        QuerySet(model).filter(pk=self[model].pk).update(**values)

    def token(self):
        who = f"user:{self.person.pk}", self[Delivery].pk, self[Category].pk, "email"
        return link_tokens.sign("unsubscribe", *who)

    def pages(self):
        """Name → address; of the person's own pages those that begin with /notifications."""
        ours, person, site = "/admin/notifier", self.person.username, "/notifications"
        event, post = self[Event].pk, self[Post].pk
        return {
            "overview": f"{ours}/overview/?range=7d",
            "pauses": f"{ours}/pause/",
            "duty": f"{ours}/onduty/",
            "events": f"{ours}/event/",
            "deliveries": f"{ours}/delivery/",
            "event": f"{ours}/event/{event}/change/",
            "delivery": f"{ours}/delivery/{self[Delivery].pk}/change/",
            "why": f"{ours}/event/why/?person={person}&subject={event}",
            "period": f"{ours}/event/why/?person={person}",
            "object": f"{ours}/event/why/?person={person}&subject=demo.post:{post}",
            "trigger": f"{ours}/trigger/{self[Trigger].pk}/change/",
            "template": f"{ours}/template/{self[Template].pk}/change/",
            "versions": f"{ours}/template/content/{self[TemplateContent].pk}/versions/",
            "set-up": f"{ours}/trigger/setup/",
            "preferences": f"{site}/preferences/",
            "unsubscribe": f"{site}/unsubscribe/{self.token()}/",
            "inbox": f"{site}/",
            "items": f"{site}/inbox/",
            "stream": f"{site}/inbox/stream/?since=0",
        }


def own_pages(model, row):
    """Kind → address of the row's own pages in the admin, and of its list."""
    kinds = {"list": [], "change": [row.pk]} | every_or({}, every={"delete": [row.pk], "history": [row.pk]})
    for kind, keys in kinds.items():
        view = "changelist" if kind == "list" else kind
        try:
            url = reverse(f"admin:notifier_{model._meta.model_name}_{view}", args=keys)
        except NoReverseMatch:
            continue
        if admin.site.is_registered(model):
            yield kind, url


class Site:
    """Opens pages as a superuser, or as the person that a World is about."""

    def __init__(self, person):
        self.staff, self.person = (Client(raise_request_exception=False) for _ in range(2))
        self.staff.force_login(make_user(is_staff=True, is_superuser=True, username="boss"))
        self.person.force_login(person)

    def fault(self, url, shown=""):
        client = self.person if url.startswith("/notifications") else self.staff
        with transaction.atomic():
            response = client.get(url)
        if error := getattr(response, "exc_info", None):
            return f"{error[0].__name__}: {ascii(error[1])[:90]} in {_place(error[2])}"
        # Some rows are nobody's to delete.
        if response.status_code not in (200, 403):
            return f"status {response.status_code}"
        return "" if shown in response.text else f"It does not show {shown}."


def _place(trace):
    """The line of ours that a trace ends in."""
    found = ""
    while trace:
        name = trace.tb_frame.f_code.co_filename
        found = f"{name.split('/notifier/')[-1]}:{trace.tb_lineno}" if "/notifier/" in name else found
        trace = trace.tb_next
    return found


def export(person):
    try:
        call_command("notify", "export-person", person.username, stdout=io.StringIO())
    except Exception as error:
        return f"{type(error).__name__}: {ascii(error)[:90]} in {_place(error.__traceback__)}"
    return ""


def faults_of(site, good, bad, model):
    """Page → what is wrong with it, or blank, while ``bad`` holds something odd."""
    found = {}
    for kind, url in own_pages(model, bad[model]):
        shown = f"/{good[model].pk}/change/" if kind == "list" and model is not Pause else ""
        found[kind] = site.fault(url, shown)
    pages = bad.pages()
    for name in READERS.get(model._meta.model_name, OTHERS):
        found[name] = export(bad.person) if name == "export" else site.fault(pages[name])
    return found


@pytest.fixture
def worlds(settings, caplog):
    caplog.set_level("CRITICAL")
    settings.TIME_ZONE = ZONE
    return World(1, channel="sms", scope="channel:sms"), World(2)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_value_of_a_column_breaks_a_page(worlds, model):
    good, bad = worlds
    site, found, tried = Site(bad.person), {}, set()
    for values in odd_rows(model):
        with transaction.atomic():
            # As another program would: past `save`, `clean` and the rules' own `update`.
            QuerySet(model).filter(pk=bad[model].pk).update(**values)
            faults = faults_of(site, good, bad, model)
            transaction.set_rollback(True)
        assert faults
        tried |= values.keys()
        said = {name: getattr(value, "value", value) for name, value in values.items()}
        for page, fault in faults.items():
            if fault:
                found.setdefault((page, fault), ascii(said)[:100])
    assert tried == {field.attname for field in odd_columns(model)}
    assert not found, "\n".join(f"{value}: {page}, {fault}" for (page, fault), value in found.items())


REFUSED = [
    "user:abc",
    f"user:{'9' * 23}",
    "user:",
    "user:-1",
    "user:١",
    "user:0",
    "user:1.5",
    "user:None",
    "address:",
]


@pytest.mark.parametrize("typed", REFUSED)
def test_an_opt_out_of_nobody_is_refused_with_a_sentence(admin_client, typed):
    response = admin_client.post("/admin/notifier/optout/add/", {"recipient": typed, "channel": "sms"})
    assert "There is no user" in str(response.context["adminform"].form.errors)
    assert not OptOut.objects.exists()


@pytest.mark.parametrize("typed", ["user:{}", "user: {} ", "user:0{}"])
def test_an_opt_out_by_key_is_stored_as_messages_have_it(admin_client, typed):
    person = make_user()
    admin_client.post("/admin/notifier/optout/add/", {"recipient": typed.format(person.pk), "channel": "sms"})
    assert OptOut.objects.get().recipient == f"user:{person.pk}"
