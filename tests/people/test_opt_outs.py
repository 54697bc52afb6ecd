"""Which opt-out decides: the narrowest, for one person's rows and in the database alike."""

from itertools import product

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings, strategies as st

from notifier.explaining import explain, person_of
from notifier.gates import opted_out
from notifier.models import Category, Event, OptOut
from notifier.people import opt_outs
from project.demo.models import Post
from tests.support.builders import make_audience, make_delivery, make_event, make_trigger, make_user
from tests.support.sizes import full_or

pytestmark = pytest.mark.django_db

CATEGORIES = ["offers", "news", "security", None]
PEOPLE = ["user:1", "user:2", "address:ada@example.com"]
CHOICES = list(product(PEOPLE, CATEGORIES, ["email", "sms", ""]))


@pytest.fixture
def categories():
    found = {
        name: Category.objects.create(name=name, title=name.title(), mandatory=name == "security")
        for name in CATEGORIES
        if name
    }
    return found | {None: None}


@pytest.fixture
def events(categories):
    return {name: make_event(category=category) for name, category in categories.items()}


@settings(
    max_examples=full_or(40, full=300), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(drawn=st.lists(st.sampled_from(CHOICES), unique=True, max_size=len(CHOICES)))
def test_the_gate_and_a_persons_own_rows_name_the_same_opt_out(categories, events, drawn):
    with transaction.atomic():
        for recipient, category, channel in drawn:
            OptOut.objects.create(recipient=recipient, category=categories[category], channel=channel)
        for channel in "email", "sms", "twitter":
            found = opt_outs.deciding_rows([event.pk for event in events.values()], PEOPLE, channel)
            for recipient, (name, event) in product(PEOPLE, events.items()):
                row = opt_outs.deciding(opt_outs.rows_of(recipient), categories[name], channel)
                assert found.get((event.pk, recipient)) == row, (recipient, name, channel)
        transaction.set_rollback(True)


# What was opted out of, each time one more and a wider one, and what is named for it.
EVER_WIDER = [
    (("offers", "email"), "Of “Offers” by email, on "),
    (("offers", ""), "Of “Offers” on every channel, on "),
    ((None, "email"), "Of everything by email, on "),
    ((None, ""), "Of everything on every channel, on "),
]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("start", range(len(EVER_WIDER)))
def test_the_narrowest_is_named_by_the_gate_and_by_why_whichever_came_first(categories, start, order):
    ada, offers = make_user(), categories["offers"]
    trigger = make_trigger(category=offers, audiences=[make_audience(users=[ada])])
    for (category, channel), _words in EVER_WIDER[start:][::order]:
        OptOut.objects.create(recipient=f"user:{ada.pk}", category=categories[category], channel=channel)
    delivery = make_delivery(recipient=f"user:{ada.pk}", address=ada.email)
    Event.objects.filter(pk=delivery.event_id).update(category=offers)
    (refused,) = opted_out.refuse([delivery], "email")
    answers = explain(person_of(ada), Post.objects.create(title="Linen"))
    (answer,) = [each for each in answers if each.trigger == trigger]
    assert refused.detail.startswith(EVER_WIDER[start][1])
    assert answer.deciding.text == f"The person has opted out. {refused.detail}"
