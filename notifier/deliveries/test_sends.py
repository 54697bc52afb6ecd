"""Test sends: what an editor sends to themselves is a real delivery, of no trigger.

Note [tests]: the event is done and plans nothing, so no fan-out and no audience has a part in it; the version
belongs to no content, so nothing that is live changes. From there on it is claimed, rendered, sent and
recorded as any other.
"""

from django.db import transaction
from django.utils import timezone

from ..channels.recipient import Recipient
from ..models import OF_NO_RULE, Delivery, Event, Lane
from ..queue.ring import rings_for
from ..templating import keys
from .queueing import DELIVERY_UNHEARD_AFTER, publish_on_commit

TEST_VERB = "test"


@transaction.atomic
def queue_test(user, *, channel, address, language, version, data, about):
    """A Delivery of ``version`` to ``user`` at ``address``, rung for after the commit.

    ``about`` is what it is a test of, or blank.
    """
    now = timezone.now()
    event = Event.objects.create(
        trigger_id=OF_NO_RULE,
        verb=TEST_VERB,
        action_object=about,
        actor=keys.object_text(user),
        data=data,
        status=Event.Status.DONE,
        lane=Lane.URGENT,  # its editor waits for it
        created_at=now,
    )
    delivery = Delivery.objects.create(
        event=event, subscription_id=OF_NO_RULE, version=version, channel=channel, language=language,
        recipient=str(Recipient.of_user(user.pk)), address=address, lane=event.lane, created_at=now,
        due_at=now + DELIVERY_UNHEARD_AFTER,
    )  # fmt: skip
    publish_on_commit(rings_for(channel, [delivery.pk]))
    return delivery
