"""What ``make bench`` measures is what it says: deliveries that are sent, by the handler that Lambda has."""

import pytest

from notifier.models import Delivery
from tests.bench import measures
from tests.support.builders import make_delivery

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("batch_size", [1, 50])
def test_the_handler_that_is_measured_sends_what_it_is_given(batch_size):
    ids = [make_delivery().pk for _ in range(3)]
    measures._deliver(measures._noop_handler(batch_size=batch_size), iter(ids), len(ids))
    assert set(Delivery.objects.values_list("status", flat=True)) == {Delivery.Status.SENT}
