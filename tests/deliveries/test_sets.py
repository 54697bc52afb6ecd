"""What the database writes of a page by itself is what is made of each person one by one."""

import datetime as dt
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings as hypothesis, strategies as st

from notifier.channels.recipient import normalise
from notifier.deliveries import flow, sets, singly
from notifier.gates import allow_list, channels_own, expired, left, opted_out, suppressed
from notifier.gates.table import FINAL_GATES
from notifier.models import Category, ContactPoint, Delivery, OptOut, Preferences, Subscription, Suppression
from project.demo.models import Profile
from tests.support.builders import make_event, make_user
from tests.support.sizes import full_or

pytestmark = pytest.mark.django_db

CHANNELS = ["email", "sms"]
# Each in several spellings, and their neighbours.
SPELLINGS = [
    *("ada@example.com", " ADA@Example.com\u2003", "ada@example.com.", "ａda@example.com", "adä@example.com"),
    *(
        "ada@exämple.com",
        "ada@xn--exmple-cua.com",
        "ADA",
        "ada%@example.com",
        "ada@example.com..",
        "\x1fada@b",
    ),
    *("+44 7400 123401", "0044 (0)7400-123401", "tel:+447400123401", "447400123401", "+44 7400 123402"),
    *("https://Example.com/@", "https://example.com./@", "", "  \t", "x" * 318 + "@a", "y" * 317 + "@a "),
]
ADDRESSES = st.sampled_from(SPELLINGS)
LANGUAGES = st.sampled_from(["", "de", "DE_at", "fr", " de ", "no language", "x" * 30])
ZONES = st.sampled_from(["", "Europe/Berlin", "europe/nowhere", " Asia/Tokyo "])
WISHES = st.fixed_dictionaries(
    {
        "language": LANGUAGES.map(lambda each: each[:20]),
        "time_zone": ZONES,
        "digest": st.sampled_from(["", "daily"]),
    }
)
PERSON = st.fixed_dictionaries(
    {
        "email": ADDRESSES.map(lambda each: each[:254]),
        "is_active": st.sampled_from([True, True, True, False]),
        "first_name": LANGUAGES,
        "last_name": ZONES,
        "phone": st.none() | ADDRESSES.map(lambda each: each[:30]),
        "points": st.dictionaries(st.sampled_from(CHANNELS), st.tuples(ADDRESSES, st.booleans())),
        "wishes": st.none() | WISHES,
        "said": st.sets(
            st.tuples(st.sampled_from(["own", "other", None]), st.sampled_from(["email", "sms", ""]))
        ),
        "waits": st.sampled_from([False, False, True]),
    }
)
EVENT = st.fixed_dictionaries(
    {
        "category": st.sampled_from([None, "own", "mandatory"]),
        "lane": st.integers(0, 2),
        "lasts": st.booleans(),
    }
)
STOPPED = st.sets(st.tuples(st.sampled_from(CHANNELS), ADDRESSES.map(normalise).filter(bool)), max_size=3)


@pytest.fixture
def in_columns(settings):
    """Language and time zone as a project keeps them: here in columns that may hold anything."""
    settings.NOTIFIER = settings.NOTIFIER | {
        "LANGUAGE": "first_name",
        "TIME_ZONE": "last_name",
        "ADDRESSES": {"email": "email", "sms": "profile.phone"},
    }


def make_categories():
    return {None: None} | {
        name: Category.objects.create(name=name, title=name, mandatory=name == "mandatory")
        for name in ("own", "other", "mandatory")
    }


def make_person(drawn, categories, event):
    columns = {name: drawn[name] for name in ("email", "is_active", "first_name", "last_name")}
    user = make_user(**columns)
    if drawn["phone"] is not None:
        Profile.objects.create(user=user, phone=drawn["phone"])
    for channel, (address, is_verified) in drawn["points"].items():
        ContactPoint.objects.create(user=user, channel=channel, address=address, verified=is_verified)
    if drawn["wishes"]:
        Preferences.objects.create(user=user, **drawn["wishes"])
    for category, channel in drawn["said"]:
        OptOut.objects.create(recipient=f"user:{user.pk}", category=categories[category], channel=channel)
    if drawn["waits"]:
        Delivery.objects.create(
            event=make_event(), subscription_id=event.plan[0]["subscription"], version_id=1, channel="email",
            recipient=f"user:{user.pk}", digest=True, status="waiting", created_at=timezone.now(),
            due_at=timezone.now() + dt.timedelta(hours=1),
        )  # fmt: skip
    return user


def planned(event):
    """The Pace and step of an event whose contents are in several languages."""
    step = event.plan[0] | {"contents": {"email": {"": 11, "de": 12}, "sms": {"en": 21, "de-at": 22}}}
    return flow.Pace(event, Subscription.objects.get(pk=step["subscription"])), step


def written(form, pace, step, users, now):
    """Every column but the key of what a form writes, by recipient and channel."""
    with transaction.atomic():
        said = form.write(pace, step, form.read_page(users, step, 100), now)
        rows = list(Delivery.objects.filter(event=pace.event).values())
        assert {tuple(row[name] for name in ("id", "channel", "status", "recipient")) for row in rows} == set(
            said
        )
        transaction.set_rollback(True)
    return {(row["recipient"], row["channel"]): {**row, "id": None} for row in rows}


@hypothesis(
    max_examples=full_or(40, full=500), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(drawn=st.lists(PERSON, min_size=2, max_size=8), about=EVENT, stopped=STOPPED)
def test_by_sets_and_one_by_one_the_same_rows_are_written(in_columns, drawn, about, stopped):
    now = timezone.now()
    with transaction.atomic():
        categories = make_categories()
        lasts = {"expires_at": now + dt.timedelta(days=1)} if about["lasts"] else {}
        event = make_event(category=categories[about["category"]], lane=about["lane"], **lasts)
        pace, step = planned(event)
        keys = [make_person(each, categories, event).pk for each in drawn]
        for channel, address in stopped:
            Suppression.objects.create(channel=channel, address=address)
        users = get_user_model()._default_manager.filter(pk__in=keys)
        assert sets.fits(pace, step, users)
        found = written(sets, pace, step, users, now)
        assert found == written(singly, pace, step, users, now)
        assert len(found) == len(keys) * len(CHANNELS)
        transaction.set_rollback(True)


def test_every_spelling_is_suppressed_by_sets_and_one_by_one_alike(in_columns):
    """As a column has it and as a contact point has it, which comes first also where it is blank."""
    event, now = make_event(), timezone.now()
    pace, step = planned(event)
    people = [make_user(email=each[:254], last_name="", first_name="") for each in SPELLINGS]
    for address in SPELLINGS:
        people.append(make_user(last_name="", first_name=""))
        ContactPoint.objects.create(user=people[-1], channel="email", address=address)
    users = get_user_model()._default_manager.filter(pk__in=[each.pk for each in people])
    for form in dict.fromkeys(filter(None, map(normalise, SPELLINGS))):
        row = Suppression.objects.create(channel="email", address=form)
        found = written(sets, pace, step, users, now)
        assert found == written(singly, pace, step, users, now)
        assert any(each["reason"] == "suppressed" for each in found.values())
        row.delete()


def opt_out(user, event):
    OptOut.objects.create(recipient=f"user:{user.pk}")


SAID_BY_THE_DATABASE = {
    "nothing": lambda user, event: None,
    "left": lambda user, event: get_user_model().objects.filter(pk=user.pk).update(is_active=False),
    "no address": lambda user, event: get_user_model().objects.filter(pk=user.pk).update(email=" "),
    "a place of their own": lambda user, event: ContactPoint.objects.create(
        user=user, channel="email", address="b@example.com"
    ),
    "a language and a zone": lambda user, event: Preferences.objects.create(
        user=user, language="de", time_zone="Asia/Tokyo"
    ),
    "somebody else is suppressed": lambda user, event: Suppression.objects.create(
        channel="email", address="b@example.com"
    ),
}


def wait(user, event):
    """They had chosen digests, and have not any more: what waits goes along."""
    Preferences.objects.create(user=user)
    Delivery.objects.create(
        event=event, subscription_id=event.plan[0]["subscription"], version_id=1, channel="sms",
        recipient=f"user:{user.pk}", digest=True, status="waiting", created_at=timezone.now(),
        due_at=timezone.now() + dt.timedelta(hours=1),
    )  # fmt: skip


LEFT_TO_PYTHON = {
    "what waits for them": wait,
    "an opt-out": opt_out,
    "suppressed": lambda user, event: Suppression.objects.create(
        channel="email", address=normalise(user.email)
    ),
    "a digest": lambda user, event: Preferences.objects.create(user=user, digest="daily"),
}


@pytest.mark.parametrize(
    ("say", "inserts"),
    [
        *(pytest.param(say, 1, id=name) for name, say in SAID_BY_THE_DATABASE.items()),
        *(pytest.param(say, 2, id=name) for name, say in LEFT_TO_PYTHON.items()),
    ],
)
def test_who_is_left_to_be_made_one_by_one(say, inserts):
    user, category = make_user(), Category.objects.create(name="news", title="News")
    event = make_event(category=category)
    say(user, event)
    pace, step = flow.Pace(event, Subscription.objects.get()), event.plan[0]
    users = get_user_model()._default_manager.filter(pk=user.pk)
    with CaptureQueriesContext(connection) as captured:
        assert len(sets.write(pace, step, sets.read_page(users, step, 10), timezone.now())) == 1
    assert sum(query["sql"].lstrip().startswith("INSERT") for query in captured) == inserts


def fits(*, contents=("email",), users=None, **flowing):
    event = make_event(contents={channel: {"text": "."} for channel in contents})
    Subscription.objects.update(**flowing)
    pace = flow.Pace(event, Subscription.objects.get())
    return sets.fits(pace, event.plan[0], users or get_user_model()._default_manager.all())


UNFIT = {
    "the order of the channels": {"order": "first"},
    "a throttle": {"throttle_number": 1, "throttle_minutes": 5},
    "a cooldown": {"cooldown_minutes": 5},
    "a digest": {"digest_minutes": 5},
    "a channel's own gate": {"contents": ["email", "push"]},
}


@pytest.mark.parametrize("values", [pytest.param(values, id=name) for name, values in UNFIT.items()])
def test_what_python_alone_knows_is_made_one_by_one(values):
    assert not fits(**values)


def test_a_plain_step_is_written_by_sets():
    assert fits(contents=["email", "sms"])


@pytest.mark.parametrize(
    "unfit", [{"DELIVER_ONLY_TO": ["*@example.com"]}, {"ADDRESSES": {"email": "date_joined"}}]
)
def test_a_stage_for_a_few_and_an_address_that_is_no_text_are_made_one_by_one(settings, unfit):
    settings.NOTIFIER = settings.NOTIFIER | unfit
    assert not fits()


def test_people_of_another_database_are_made_one_by_one():
    users = SimpleNamespace(db="other")
    assert not fits(users=users)


def test_what_is_expired_is_made_one_by_one():
    event = make_event(expires_at=timezone.now())
    pace = flow.Pace(event, Subscription.objects.get())
    assert not sets.fits(pace, event.plan[0], get_user_model()._default_manager.all())


def test_every_final_gate_is_known_to_the_statement():
    """A new one is said in the statement of ``sets`` or refused by its ``fits``, and drawn above."""
    assert [allow_list, left, channels_own, suppressed, opted_out, expired] == FINAL_GATES
