"""Every page, by everybody: a mark stands in each text column, and the site is walked along its links.

Nothing of a mark comes out of its place, nobody reads a column that is not theirs, and no page is a fault of
the server. Pages are found by their links and by what is registered; columns are those of the schema. Who may
read which is said in ``tests/support/audiences_of_columns.py``.
"""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models.query import QuerySet
from django.test import Client
from django.urls import NoReverseMatch, reverse

from notifier.models import ContentVersion, Delivery, Event, Subscription, TemplateContent, Trigger
from notifier.people import link_tokens
from tests.support.audiences_of_columns import (
    NAMED_ON,
    NOBODY,
    OF_A_PERSON,
    PEOPLE,
    READER,
    RECIPIENTS,
    RULES,
)
from tests.support.builders import make_user
from tests.support.crawling import crawl, look, mark
from tests.support.planting import plant, planted_models, text_columns

pytestmark = [pytest.mark.one_database, pytest.mark.django_db, pytest.mark.usefixtures("rings_nowhere")]

LABELS = [
    f"{model._meta.label_lower}.{each.name}" for model in planted_models() for each in text_columns(model)
]
NUMBERS = {label: number for number, label in enumerate(LABELS, 100)}
NAMES = {number: label for label, number in NUMBERS.items()}
MODELS = [
    model for model in admin.site._registry if model._meta.app_label in ("notifier", "auth", "demo", "axes")
]
# Enough for all lists with each of their filters; and what a crawl has to find, or it has found nothing.
MOST_PAGES, MOST_PAGES_OF_A_READER, MOST_PAGES_OF_ONE = 420, 300, 40
LEAST_PAGES, LEAST_PAGES_OF_NOBODY, LEAST_PAGES_OF_ONE = 400, 200, 9


def marks_of(field):
    return mark(NUMBERS[f"{field.model._meta.label_lower}.{field.name}"], field.max_length)


@pytest.fixture
def rows(caplog):
    """A marked row of each model, of one person: an event with its plan, a delivery that failed."""
    caplog.set_level("CRITICAL")
    person = make_user()
    columns = {each.name: marks_of(each) for each in text_columns(type(person)) if each.name != "password"}
    QuerySet(type(person)).filter(pk=person.pk).update(**columns, password=marks_of(_password(person)))
    person.refresh_from_db()
    rows = plant(marks_of, user=person)
    subscription, version, trigger = (rows[each] for each in (Subscription, ContentVersion, Trigger))
    plan = [{"subscription": subscription.pk, "contents": {"email": {"": version.pk}}}]
    said = [{"trigger": trigger.pk, "name": trigger.name, "because": _json(Event, "explanation")}]
    _put(
        rows[Event],
        plan=plan,
        explanation=said,
        trigger=trigger.pk,
        status="done",
        actor=f"auth.user:{person.pk}",
    )
    _put(rows[Delivery], subscription=subscription.pk, version=version.pk, status="failed")
    _put(rows[TemplateContent], version=version.pk)
    _put(version, content=rows[TemplateContent].pk)
    return rows


def _password(person):
    return type(person)._meta.get_field("password")


def _json(model, name):
    return marks_of(model._meta.get_field(name))


def _put(row, **values):
    QuerySet(type(row)).filter(pk=row.pk).update(**values)


def seeds(rows):
    """The addresses that the site has of itself: every registered page, and those that have no list."""
    yield from ("/", "/admin/", "/outbox/", "/outbox/messages.json", "/admin/notifier/overview/?range=30d")
    for model in MODELS:
        label = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = rows.get(model._meta.concrete_model)
        kinds = {"changelist": [], "add": []} | (
            {n: [row.pk] for n in ("change", "delete", "history")} if row else {}
        )
        for kind, keys in kinds.items():
            try:
                yield reverse(f"{label}_{kind}", args=keys)
            except NoReverseMatch:
                continue
        yield f"/admin/{model._meta.app_label}/"
    yield from _seeds_of_rows(rows)
    for model in MODELS:
        if model._meta.model_name not in ("overview", "pause", "onduty"):
            place = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            yield from (f"{place}?q=Zyq", f"{place}?q=%27%22%3E%3Czz%3E", f"{place}?_popup=1&_to_field=id")
    site = "/notifications"
    yield from (
        f"{site}/{each}" for each in ("", "inbox/", "inbox/unread/", "inbox/stream/?since=0", "preferences/")
    )
    yield f"{site}/inbox/openapi.json"


def _seeds_of_rows(rows):
    """Pages of the admin that ask about rows, and windows to choose in."""
    ours, person, event = "/admin/notifier", rows[type(apps.get_model("auth.user")())], rows[Event]
    for who in (person.pk, f"user:{person.pk}", rows[Delivery].address):
        for subject in ("", event.pk, f"auth.user:{person.pk}"):
            yield reverse("admin:notifier_why") + f"?person={who}&subject={subject}"
    yield f"{ours}/event/why/people/?q=Zyq"
    yield f"{ours}/template/content/{rows[TemplateContent].pk}/versions/"
    yield f"{ours}/trigger/setup/?model=demo.post"
    yield f"{ours}/pause/?scope=everything"
    for model, field in (
        ("audience", "users"),
        ("audience", "groups"),
        ("contactpoint", "user"),
        ("subscription", "template"),
        ("subscription", "audiences"),
        ("preferences", "user"),
    ):
        yield f"/admin/autocomplete/?app_label=notifier&model_name={model}&field_name={field}&term=Zyq"


def links_of_people(rows):
    """The addresses in a message of the planted person: whoever has them is that person."""
    recipient, key = f"user:{rows[type(apps.get_model('auth.user')())].pk}", rows[Delivery].pk
    category = Event.objects.get(pk=rows[Event].pk).category_id
    yield f"/notifications/unsubscribe/{link_tokens.sign('unsubscribe', recipient, key, category, 'email')}/"
    yield f"/notifications/preferences/{link_tokens.sign('preferences', recipient, key)}/"


def staff_with(permissions):
    client = Client(raise_request_exception=False)
    user = make_user(is_staff=True)
    user.user_permissions.set(permissions)
    client.force_login(user)
    return client


def views(**which):
    return Permission.objects.filter(codename__startswith="view_", **which).exclude(
        codename="view_recipients"
    )


def may_read(label, *, models, everything=False, recipients=False, signed_in=True):
    """Whether somebody who may view ``models`` (labels) may read a column."""
    reader, model = READER[label], label.rpartition(".")[0]
    if everything or reader == NOBODY:
        return reader != NOBODY
    if reader == PEOPLE:
        return signed_in
    if reader == RECIPIENTS:
        return recipients
    if reader == RULES:
        return any(each.startswith("notifier.") for each in models)
    named = NAMED_ON.get(label, set()) | (OF_A_PERSON if model == "auth.user" else set())
    return model in models or not named.isdisjoint(models)


# What a developer's own machine has sent, for whoever sits there; it is on no other.
DEVELOPERS_OWN = "/outbox/"


def wrong(found, **reader):
    """What a crawl found that it must not."""
    problems = [f"{url}: {fault}" for url, (_marks, faults) in found.items() for fault in faults]
    for url, (marks, _faults) in found.items():
        if url.startswith(DEVELOPERS_OWN):
            continue
        labels = {NAMES[number] for number in marks if number in NAMES}
        problems += [f"{url} shows {label}" for label in sorted(labels) if not may_read(label, **reader)]
    return "\n".join(problems)


def test_each_text_column_says_who_may_read_it():
    assert set(LABELS) == set(READER)


def test_a_superuser_meets_nothing_that_breaks_out(rows, admin_client):
    admin_client.raise_request_exception = False
    found = crawl(admin_client, [*seeds(rows), *links_of_people(rows)], MOST_PAGES)
    assert not (problems := wrong(found, models=[], everything=True)), problems
    # The crawl sees what it looks for: all that the superuser may see but for what only a message shows.
    seen = {NAMES[number] for marks, _faults in found.values() for number in marks}
    assert len(found) >= LEAST_PAGES
    assert {
        "notifier.event.data",
        "notifier.delivery.address",
        "notifier.trigger.name",
        "auth.user.email",
    } <= seen


def test_a_reader_of_everything_but_recipients_reads_no_recipient(rows):
    labels = {model._meta.label_lower for model in MODELS}
    found = crawl(staff_with(views()), seeds(rows), MOST_PAGES_OF_A_READER)
    assert not (problems := wrong(found, models=labels)), problems
    assert len(found) == MOST_PAGES_OF_A_READER


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_who_may_view_one_kind_of_row_reads_no_other(rows, model):
    own = views(content_type__app_label=model._meta.app_label, codename=f"view_{model._meta.model_name}")
    own_place, addresses = f"/{model._meta.app_label}/{model._meta.model_name}/", list(seeds(rows))
    asked = [each for each in addresses if own_place in each] + addresses[:5]
    found = crawl(staff_with(own), asked, MOST_PAGES_OF_ONE)
    assert not (problems := wrong(found, models={model._meta.label_lower})), problems
    assert len(found) >= LEAST_PAGES_OF_ONE


NO_STAFF = {"staff without a permission": {"is_staff": True}, "a customer": {}}


@pytest.mark.parametrize("who", NO_STAFF)
def test_who_may_nothing_reads_nothing(rows, who):
    client = Client(raise_request_exception=False)
    client.force_login(make_user(**NO_STAFF[who]))
    found = crawl(client, seeds(rows), MOST_PAGES)
    assert not (problems := wrong(found, models=[])), problems
    assert len(found) >= LEAST_PAGES_OF_NOBODY


def test_a_visitor_reads_nothing(rows):
    found = crawl(Client(raise_request_exception=False), seeds(rows), MOST_PAGES)
    assert not (problems := wrong(found, models=[], signed_in=False)), problems
    assert len(found) >= LEAST_PAGES_OF_NOBODY


OWN = {"auth.user", "notifier.inboxitem", "notifier.preferences", "notifier.optout"}


def test_a_person_reads_what_is_theirs_and_nothing_breaks_out_of_it(rows):
    person = rows[type(apps.get_model("auth.user")())]
    client = Client(raise_request_exception=False)
    client.force_login(person)
    site = [each for each in seeds(rows) if each.startswith("/notifications")]
    found = crawl(client, [*site, *links_of_people(rows)], MOST_PAGES)
    problems = [f"{url}: {fault}" for url, (_marks, faults) in found.items() for fault in faults]
    for url, (marks, _faults) in found.items():
        labels = {NAMES[number] for number in marks}
        theirs = {each for each in labels if READER[each] == PEOPLE or each.rpartition(".")[0] in OWN}
        problems += [f"{url} shows {each}" for each in labels - theirs]
    assert not problems, "\n".join(problems)
    assert len(found) >= LEAST_PAGES_OF_ONE
    assert any(NUMBERS["notifier.inboxitem.title"] in marks for marks, _faults in found.values())


def test_what_the_crawl_looks_for_is_found():
    """A page that does not escape, in each of the ways in which a page can fail to."""
    bad = mark(NUMBERS["demo.post.body"], None)
    for page in (
        f"<p>{bad}</p>", f'<a title="{bad}">x</a>', f"<textarea>{bad}</textarea>", f"<title>{bad}</title>",
        f"<script>var a = '{bad}'</script>", f'<script type="application/json">"{bad}"</script>',
        "<p x-data=\"{a: 'Zyqm100q'}\"></p>", "<script>var a = 'Zyqm100q'</script>",
        '<a href="javascript:Zyqm100q">x</a>',
    ):  # fmt: skip
        assert look(_Answering(page), "/")[1], page


class _Answering:
    def __init__(self, text):
        self.text, self.status_code, self.headers = text, 200, {"Content-Type": "text/html"}

    def get(self, url):
        return self
