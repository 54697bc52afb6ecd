"""What a provider has closed is seen by people, and they can open it."""

import datetime as dt

import pytest
from django.utils import timezone

from notifier.channels.limits import Limit
from notifier.exceptions import TryAgain
from notifier.gates import rates
from notifier.models import Delivery, Lane, Rate
from tests.admin.browser import text_of
from tests.lambdas.test_rates import channel
from tests.support.builders import make_delivery
from tests.support.functions import bodies_for, event_for, make_context

pytestmark = pytest.mark.django_db(transaction=True)

PAUSES, OVERVIEW = "/admin/notifier/pause/", "/admin/notifier/overview/"
DAY = dt.timedelta(days=1)
ROOM = Limit(number=10, seconds=10, burst=5)


def deliver(*rows, seconds, part=None):
    """Let the provider say “not so fast” to each of ``rows`` that it is asked for."""

    def send(message, session):
        raise TryAgain("throttled", after_seconds=seconds)

    ids = [each.pk for each in rows]
    handler = channel(send, rate=Limit(number=1000), part=part)
    handler(event_for("email", bodies_for("email", ids)), make_context())


def press(client, pk):
    return client.post(f"{PAUSES}closed/{pk}/open/", follow=True)


def rooms(message):
    return message.address, ROOM


@pytest.mark.parametrize("seconds", [9_999_999_999, 100_000, 86_400, 10**400])
def test_a_wait_of_centuries_is_a_day_and_is_tried(cloud, seconds):
    delivery = make_delivery(address="ada@example.com")
    deliver(delivery, seconds=seconds)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.reason) == ("waiting", "throttled")
    # The channel's horizon is a day from when it was made: its end is the last try.
    assert delivery.due_at <= delivery.created_at + DAY
    assert Rate.objects.get().opens_at <= timezone.now() + DAY


def test_a_closed_channel_is_on_the_overview_and_opens_by_a_button(cloud, admin_client):
    first, second = make_delivery(address="ada@example.com"), make_delivery(address="bo@example.com")
    deliver(first, second, seconds=7200)
    page = text_of(admin_client.get(PAUSES))
    assert "Closed by the provider" in page
    assert f"/admin/notifier/delivery/{first.pk}/change/" in page
    texts = [item.text for item in admin_client.get(OVERVIEW).context["attention"]]
    assert any(text.startswith("E-mail: the provider takes nothing before") for text in texts), texts
    (rate,) = rates.find_closed()
    page = text_of(press(admin_client, rate.pk))
    assert "Opened. 2 messages that waited for it are tried within a minute." in page
    assert "Closed by the provider" not in page
    assert not Delivery.objects.filter(due_at__gt=timezone.now()).exists()
    assert rates.reserve(rates.Asker("email", Limit(number=10), Lane.BULK), 1) is not None
    # And then it goes.
    sent = channel(lambda message, session: "an-id", rate=Limit(number=1000))
    Delivery.objects.update(status="queued")
    sent(event_for("email", bodies_for("email", [first.pk, second.pk])), make_context())
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}


def test_a_room_is_opened_alone(cloud, admin_client):
    mine = [make_delivery(address="ada@example.com") for _ in range(2)]
    other = make_delivery(address="bo@example.com")
    deliver(*mine, other, seconds=7200, part=rooms)
    closed = Rate.objects.get(closed_by=mine[0].pk)
    assert "E-mail, one room or part" in text_of(admin_client.get(PAUSES))
    page = text_of(press(admin_client, closed.pk))
    assert "Opened. 2 messages" in page
    waiting = Delivery.objects.filter(due_at__gt=timezone.now())
    assert list(waiting.values_list("pk", flat=True)) == [other.pk]


def test_a_short_wait_is_no_news_and_an_open_one_cannot_be_opened(cloud, admin_client):
    deliver(make_delivery(), seconds=30)
    assert "Closed by the provider" not in text_of(admin_client.get(PAUSES))
    pk = Rate.objects.get().pk
    assert "Opened." in text_of(press(admin_client, pk))
    assert "It is open already." in text_of(press(admin_client, pk))


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), -5, "soon", None])
def test_what_is_no_wait_closes_for_a_second(cloud, seconds):
    delivery = make_delivery()
    deliver(delivery, seconds=seconds)
    delivery.refresh_from_db()
    assert delivery.status == "waiting"
    assert delivery.due_at <= timezone.now() + dt.timedelta(seconds=30)
    assert Rate.objects.get().opens_at <= timezone.now() + dt.timedelta(seconds=2)
