"""How many statements a fan-out takes, and in which lane it goes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifier.deliveries.pages import PAGE_SIZE
from notifier.models import Delivery, Event, Lane, OptOut, Preferences, Subscription, Suppression
from tests.support.builders import make_audience, make_event, make_people, make_user
from tests.support.flowing import fan_out, flowing_event, make_category

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rings_nowhere")]


def statements_of(event):
    """Those that a fan-out takes, without the ones that begin and end its transactions."""
    with CaptureQueriesContext(connection) as captured:
        fan_out(event)
    return [sql for query in captured if not (sql := query["sql"]).startswith(("BEGIN", "COMMIT"))]


def to_one(**values):
    return flowing_event(users=[make_user()], **values)


def spoken_of(model, **values):
    """To one person, of whom a row says something."""

    def make():
        user = make_user()
        who = {"recipient": f"user:{user.pk}"} if model is OptOut else {"user": user}
        model.objects.create(**who, **values)
        return flowing_event(users=[user], category=make_category())

    return make


def suppressed():
    user = make_user()
    Suppression.objects.create(channel="email", address=user.email)
    return flowing_event(users=[user])


# The claim, the rule with its audiences, the people, the cursor, the deliveries, the event's end.
PLAIN = 6
# Where people are, what they wish, who is suppressed, who has opted out, the deliveries.
ONE_BY_ONE = 5
COSTS = [
    ("one person", to_one, PLAIN),
    ("three people", lambda: flowing_event(users=[make_user() for _ in range(3)]), PLAIN),
    ("a language of their own", spoken_of(Preferences, language="de"), PLAIN),
    ("two channels", lambda: to_one(channels=("email", "sms")), PLAIN + 1),
    ("a category", lambda: to_one(category=make_category()), PLAIN),
    ("nobody", lambda: flowing_event(users=[]), PLAIN - 2),
    ("opted out", spoken_of(OptOut), PLAIN + 1 + ONE_BY_ONE + 1),  # their rows; whether they have a say
    ("suppressed", suppressed, PLAIN + 1 + ONE_BY_ONE - 1),
    ("an order of channels", lambda: to_one(order="first"), PLAIN - 1 + ONE_BY_ONE),
    ("a throttle", lambda: to_one(throttle_number=1, throttle_minutes=5), PLAIN + ONE_BY_ONE),
    ("a digest", lambda: to_one(digest_minutes=5), PLAIN + ONE_BY_ONE),  # the open windows
]


@pytest.mark.parametrize(("make", "number"), [pytest.param(*rest, id=name) for name, *rest in COSTS])
def test_a_fan_out_takes_as_many_statements_as_what_it_says_needs(make, number):
    event = make()
    assert len(statements_of(event)) == number
    event.refresh_from_db()
    assert event.status == "done"


def test_a_page_of_many_costs_three_statements():
    make_people(2 * PAGE_SIZE + 10)
    found = statements_of(make_event())
    # Once, how many they are, and the end. Each page: the people, the cursor, the deliveries.
    assert len(found) == 2 + 1 + 3 * 3 + 1


LANES = [
    # how many may get it at once, how many do, the lane it was in and goes in
    (4, 4, Lane.URGENT, Lane.URGENT),
    (4, 5, Lane.URGENT, Lane.BULK),
    (4, 5, Lane.NORMAL, Lane.BULK),
    (1000, 5, Lane.BULK, Lane.BULK),
]


@pytest.mark.parametrize(("most", "people", "lane", "goes_in"), LANES)
def test_what_goes_to_very_many_is_bulk_whatever_it_was(settings, most, people, lane, goes_in):
    settings.NOTIFIER = settings.NOTIFIER | {"CONFIRM_ABOVE": most}
    everybody = make_audience(
        users=[make_user() for _ in range(people - 1)], addresses="email: a@example.com"
    )
    fan_out(make_event(audiences=[everybody], lane=lane))
    assert Event.objects.get().lane == goes_in
    # Plain addresses come last, and count from the first page on.
    assert set(Delivery.objects.values_list("lane", flat=True)) == {goes_in}


@pytest.mark.parametrize(("more", "lane"), [(0, Lane.NORMAL), (1, Lane.BULK)])
def test_of_more_than_a_page_the_first_delivery_is_in_the_lane_of_all(more, lane):
    make_people(PAGE_SIZE + more)
    fan_out(make_event())
    assert Event.objects.get().lane == lane
    assert set(Delivery.objects.values_list("lane", flat=True)) == {lane}


def test_what_is_made_one_by_one_is_in_its_events_lane_as_well():
    event = to_one(order="first")
    Event.objects.update(lane=Lane.URGENT)
    fan_out(event)
    assert Subscription.objects.get().order == "first"
    assert Delivery.objects.get().lane == Lane.URGENT
