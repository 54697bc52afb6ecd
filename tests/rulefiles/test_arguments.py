"""A file of rules about a signal of the project's own: names are checked by the types of its arguments."""

import pytest

from notifier.exceptions import RulesFileRefused
from notifier.rulefiles import texts
from tests.app.models import Order
from tests.support.observing import registering

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]
register = registering

RULES = """\
version: 1
audiences:
  Owner:
    paths: [%(path)s]
templates:
  hello:
    contents:
      - channel: email
        subject: 'x'
        text: '{{ %(text)s }}'
triggers:
  Order shipped:
    signal: shipped
    model: %(model)s
    condition: %(condition)s
    subscriptions:
      - template: hello
        channels: [email]
        audiences: [Owner]
"""
GOOD = {"path": "order.owner", "text": "order.number", "model": "shop.order", "condition": "order.total > 7"}
BAD = [
    # what is changed, what is said
    ({"path": "order.nonsense"}, "nonsense"),
    ({"text": "order.nonsense"}, "“order.nonsense”: order has nothing called “nonsense”"),
    ({"condition": "order.nonsense == 1"}, "order has nothing called “nonsense”"),
    ({"model": "demo.movie"}, "is registered with Order as its order, which is never Movie"),
]


@pytest.mark.parametrize(("changed", "words"), BAD)
def test_a_file_is_checked_by_the_types(register, changed, words):
    register("shipped", {"order": Order}, object="order")
    with pytest.raises(RulesFileRefused, match=words):
        texts.import_text(RULES % (GOOD | changed))
    assert texts.import_text(RULES % GOOD)
