"""Who can be reached, as it is counted beforehand, and as the fan-out finds it."""

import pytest
from django.contrib.auth import get_user_model

from notifier.deliveries.fanout import fan_out
from notifier.models import ContactPoint
from notifier.people import reachable
from project.demo.models import Profile
from tests.builders import make_audience, make_event, make_user

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
    counted = reachable.reachable(get_user_model().objects.all(), channel)
    sent_to = {recipient: each.address for recipient, each in found.items() if each.status == "queued"}
    assert {f"user:{user.pk}" for user in counted} == set(sent_to)
    rows = [(each.pk, channel, each.recipient) for each in found.values()]
    reached, unreachable = reachable.look_again(rows)
    assert {recipient: reached[each.pk] for recipient, each in found.items() if each.pk in reached} == sent_to
    assert unreachable == {each.pk for each in found.values() if each.status == "skipped"}
