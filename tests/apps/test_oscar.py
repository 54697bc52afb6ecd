"""django-oscar: an order is placed from a basket."""

from decimal import Decimal

import pytest
from oscar.apps.basket.models import Basket
from oscar.apps.catalogue.models import Product, ProductClass
from oscar.apps.order.models import Order
from oscar.apps.order.utils import OrderCreator
from oscar.apps.partner.models import Partner, StockRecord
from oscar.apps.partner.strategy import Default
from oscar.apps.shipping.methods import Free
from oscar.core.prices import Price

from notifier.models import Event, Trigger
from notifier.testing import capture_notifications

APP = "django-oscar"


@pytest.fixture
def place_order(db):
    product = Product.objects.create(
        product_class=ProductClass.objects.create(name="Linen"), title="Sheets", upc="1"
    )
    StockRecord.objects.create(
        product=product, partner=Partner.objects.create(name="Mill"), partner_sku="1",
        price=Decimal("12.50"), num_in_stock=20,
    )  # fmt: skip

    def place_order(user, *, quantity):
        basket = Basket.objects.create(owner=user)
        basket.strategy = Default()
        basket.add_product(product, quantity)
        total = Price(currency="GBP", excl_tax=basket.total_excl_tax, incl_tax=basket.total_excl_tax)
        method = Free()
        return OrderCreator().place_order(
            basket=basket, total=total, user=user, shipping_method=method,
            shipping_charge=method.calculate(basket),
        )  # fmt: skip

    return place_order


def test_who_orders_gets_its_lines(recipe, place_order, make_user):
    ada = make_user("ada")

    with capture_notifications() as sent:
        order = place_order(ada, quantity=2)

    (mail,) = sent
    assert mail.is_to(ada)
    assert mail.subject == f"Your order {order.number}"
    assert mail.text == "2 x Sheets\n25.00 GBP"
    assert Event.objects.get().action_object == f"order.order:{order.pk}"


def test_a_trigger_can_be_of_one_order(recipe, place_order, make_user):
    ada = make_user("ada")
    first = place_order(ada, quantity=1)
    Trigger.objects.update(object_pk=str(first.pk))
    Trigger.objects.get().save()
    Event.objects.all().delete()

    place_order(ada, quantity=1)
    assert not Event.objects.exists()

    from oscar.apps.order.signals import order_placed

    order_placed.send(sender=None, order=Order.objects.get(pk=first.pk), user=ada)
    assert Event.objects.get().action_object == f"order.order:{first.pk}"
