"""Who can be reached, as it is counted beforehand, and as the fan-out finds it."""

from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from hypothesis import HealthCheck, given, settings, strategies as st

from notifier.deliveries.fanout import fan_out
from notifier.gates import channels_own
from notifier.models import ContactPoint
from notifier.people import addresses
from project.demo.models import Profile
from tests.support.builders import make_audience, make_device, make_event, make_user
from tests.support.sizes import full_or

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = [
    # what the user is, the address of the contact point, whether that is verified
    ({}, None, True),
    ({"email": ""}, None, True),
    ({"email": "   "}, None, True),
    ({"is_active": False}, None, True),
    ({}, "other@example.com", True),
    ({}, "other@example.com", False),  # the contact point comes first, though the user's own would do
    ({}, "  ", True),
    ({"email": ""}, " own@example.com ", True),
    ({"email": ""}, "own@example.com", False),
    ({"email": "", "is_active": False}, "own@example.com", True),
]


@pytest.fixture
def people():
    made = []
    for values, address, verified in PEOPLE:
        user = make_user(**values)
        made.append(user)
        if address is not None:
            for channel in "email", "sms", "twitter":
                ContactPoint.objects.create(user=user, channel=channel, address=address, verified=verified)
    Profile.objects.create(user=made[0], phone="+44 7400 123401")
    Profile.objects.create(user=made[1], phone="")
    return made


# By a field, by a relation that may be missing, by neither
@pytest.mark.parametrize("channel", ["email", "sms", "twitter"])
def test_whom_a_count_takes_for_reachable_the_fan_out_sends_to_at_the_same_address(cloud, people, channel):
    event = make_event(contents={channel: {"text": "."}}, audiences=[make_audience(users=people)])
    fan_out(event.pk, lease_seconds=900)
    found = {each.recipient: each for each in event.deliveries.all()}
    counted = addresses.reachable(get_user_model().objects.all(), channel)
    sent_to = {recipient: each.address for recipient, each in found.items() if each.status == "queued"}
    assert {f"user:{user.pk}" for user in counted} == set(sent_to)
    rows = [(each.pk, channel, each.recipient) for each in found.values()]
    reached, unreachable = addresses.look_again(rows)
    assert {recipient: reached[each.pk] for recipient, each in found.items() if each.pk in reached} == sent_to
    assert unreachable == {each.pk for each in found.values() if each.status == "skipped"}


# Anybody, as a page of users has them and as the database counts them. White space is more than the space.
TEXTS = st.text(alphabet=" \t\n\x1f\xa0\u2003\u3000ä@.+0", max_size=4)
POINTS = st.none() | st.tuples(TEXTS, st.booleans())
CHANNELS = ["email", "sms", "twitter", "inbox", "push"]
ANYBODY = st.fixed_dictionaries(
    {
        "email": TEXTS,
        "is_active": st.booleans(),
        "phone": st.none() | TEXTS,
        "device": st.none() | st.booleans(),
        "points": st.fixed_dictionaries(dict.fromkeys(CHANNELS, POINTS)),
    }
)


def make_somebody(drawn):
    user = make_user(email=drawn["email"], is_active=drawn["is_active"])
    if drawn["phone"] is not None:
        Profile.objects.create(user=user, phone=drawn["phone"])
    if drawn["device"] is not None:
        make_device(user=user, enabled=drawn["device"])
    ContactPoint.objects.bulk_create(
        ContactPoint(user=user, channel=channel, address=point[0], verified=point[1])
        for channel, point in drawn["points"].items()
        if point
    )
    return user


def as_the_fan_out_finds_them(users, channel):
    """Recipient → address of those who are reached, as a page of users has them."""
    rows = addresses.read_page(users, addresses.columns_for([channel]), 100)
    found = {recipient: row for _, recipient, *row in addresses.of_users(rows, [channel])}
    asked = [SimpleNamespace(recipient=recipient, address=row[0]) for recipient, row in found.items()]
    answers = channels_own.refuse(asked, channel)
    return {
        recipient: address
        for (recipient, (address, reason, *_)), refused in zip(found.items(), answers, strict=True)
        if not reason and not refused
    }


@settings(
    max_examples=full_or(25, full=200), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(drawn=st.lists(ANYBODY, min_size=1, max_size=4))
def test_a_page_of_users_and_the_database_know_the_same_rule(drawn):
    with transaction.atomic():
        users = get_user_model()._default_manager.filter(pk__in=[make_somebody(each).pk for each in drawn])
        for channel in CHANNELS:
            found = as_the_fan_out_finds_them(users, channel)
            assert {f"user:{user.pk}" for user in addresses.reachable(users, channel)} == set(found)
            rows = [(user.pk, channel, f"user:{user.pk}") for user in users]
            reached, unreachable = addresses.look_again(rows)
            assert {f"user:{pk}": address for pk, address in reached.items()} == found
            assert unreachable == {user.pk for user in users} - reached.keys()
            alone = {f"user:{user.pk}": addresses.place_of(user, channel) for user in users}
            assert {key: place.address for key, place in alone.items() if key in found} == found
        transaction.set_rollback(True)
