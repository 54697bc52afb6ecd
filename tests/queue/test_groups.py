"""What a message is rung for goes beside it: one trigger, or event, keeps no others waiting in a queue."""

import boto3
import pytest
from django.db import transaction

from notifier.queue import publisher
from notifier.queue.ring import FANOUT, Ring, parse, rings_for
from project.demo.models import Post
from tests.support.builders import make_trigger

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]


def groups_in(queue):
    """The MessageGroupId of each message in a queue, or None, by the message's ids."""
    sqs, found = boto3.client("sqs"), {}
    while messages := sqs.receive_message(
        QueueUrl=queue.url, MaxNumberOfMessages=10, AttributeNames=["All"]
    ).get("Messages"):
        for each in messages:
            ring = parse(each["Body"], route=FANOUT)
            found[ring.ids] = each["Attributes"].get("MessageGroupId")
    return found


PUBLISHED = [
    # the groups of what is published together, as the queue has them
    ([""], [None]),
    (["trigger-7"], ["trigger-7"]),
    (["", ""], [None, None]),
    (["trigger-7", "", "event-8"], ["trigger-7", None, "event-8"]),
]


@pytest.mark.parametrize(("groups", "expected"), PUBLISHED)
def test_a_queue_gets_each_message_with_its_group(cloud, groups, expected):
    rings = [Ring(route=FANOUT, ids=(pk,), group=group) for pk, group in enumerate(groups, 1)]
    assert publisher.publish(rings) == []
    assert groups_in(cloud.queues[FANOUT]) == {(pk,): group for pk, group in enumerate(expected, 1)}


@pytest.mark.parametrize("saves", [1, 3])
def test_what_a_save_rings_for_is_of_its_trigger(cloud, saves):
    triggers = {make_trigger().pk, make_trigger().pk}
    with transaction.atomic():
        for number in range(saves):
            Post.objects.create(title=str(number))
    found = list(groups_in(cloud.queues[FANOUT]).values())
    assert sorted(found) == sorted(f"trigger-{pk}" for pk in triggers for _ in range(saves))


def test_a_group_is_of_all_rings_that_ids_need_and_in_none_of_their_bodies():
    rings = rings_for("email", range(1, 120), group="event-5")
    assert [ring.group for ring in rings] == ["event-5"] * 3
    assert [ring.body() for ring in rings] == [ring.body() for ring in rings_for("email", range(1, 120))]
    assert {ring.group for ring in rings_for("email", [1])} == {""}
