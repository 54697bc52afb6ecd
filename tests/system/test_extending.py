"""docs/extending.md, run: its blocks, in order, as a project's own code."""

import re
import sys
import types
from pathlib import Path

import pytest
from django.db import models

from notifier import hooks
from notifier.events import middleware
from notifier.models import Event
from notifier.rules import signals
from tests.app.models import Order
from tests.support.builders import make_delivery, make_trigger, make_user
from tests.support.functions import bodies_for, invoke
from tests.support.observing import recorded

pytestmark = [pytest.mark.one_database, pytest.mark.django_db(transaction=True)]

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"


def blocks():
    """Heading → its blocks of Python."""
    parts = re.split(r"^## (.*)$", PAGE.read_text(), flags=re.M)
    return {
        heading: re.findall(r"```python\n(.*?)```", text, flags=re.S)
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def run(source, names):
    exec(compile(source, PAGE.name, "exec"), names)
    return names


@pytest.fixture
def order_placed():
    """The page's first block has run: the signal is registered."""
    names = run(blocks()["Signals of your own"][0], {})
    yield names["order_placed"]
    del signals._registry["order_placed"]


@pytest.fixture
def _listening():
    """What the page connects is disconnected."""
    before = [list(signal.receivers) for signal in hooks.ALL]
    yield
    for signal, receivers in zip(hooks.ALL, before, strict=True):
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()


def test_signals_of_your_own(order_placed):
    make_trigger(
        verb="order_placed", model="", target="web shop", contents={"email": {"text": "{{ order.number }}"}}
    )
    _, sending = blocks()["Signals of your own"]
    run(
        sending,
        {
            "order_placed": order_placed,
            "Order": Order,
            "order": Order.objects.create(number="17"),
            "user": make_user(),
        },
    )
    assert Event.objects.get().data["order"]["number"] == "17"


@pytest.mark.usefixtures("order_placed")
def test_emit_and_emit_bulk():
    make_trigger(verb="order_placed", model="")
    make_trigger(model="shop.order", on="updated")
    one, many, once = blocks()["emit and emit_bulk"]
    names = {"Order": Order, "user": make_user()}
    run(one, names)
    assert [verb for verb, _ in recorded()] == ["order_placed"]
    run(many, names)
    assert [verb for verb, _ in recorded()] == ["order_placed", "post_save", "post_save"]
    run(once, names)
    keys = sorted(Event.objects.exclude(key=None).values_list("key", flat=True))
    assert keys == sorted(["placed-17", *(f"placed-again-{order.pk}" for order in Order.objects.all())])


def test_signal_middleware(settings, monkeypatch):
    setting, source = blocks()["Signal middleware"]
    module = types.ModuleType("shop.notifications")
    monkeypatch.setitem(sys.modules, "shop", types.ModuleType("shop"))
    monkeypatch.setitem(sys.modules, "shop.notifications", module)
    run(source, module.__dict__)
    settings.NOTIFIER = settings.NOTIFIER | run(setting, {})["NOTIFIER"]
    middleware._chain.cache_clear()
    make_trigger(verb="notify_audiences", model="", contents={"email": {"text": "{{ tenant.name }}"}})
    from notifier import emit

    (event,) = emit("notify_audiences", movie=None)
    assert event.data["tenant"] == {"name": "Linen & Co"}
    (event,) = emit("notify_audiences", movie=None, target="closed shop")
    assert (event.status, event.reason) == ("vetoed", "The shop is closed.")


@pytest.fixture
def statistic():
    """A table of the project's own."""
    from django.db import connection

    class Statistic(models.Model):
        channel = models.CharField(max_length=50, unique=True)
        sent = models.IntegerField(default=0)

        class Meta:
            app_label = "statistics"

    with connection.schema_editor() as editor:
        editor.create_model(Statistic)
    yield Statistic
    with connection.schema_editor() as editor:
        editor.delete_model(Statistic)
    from django.apps import apps

    del apps.all_models["statistics"]
    apps.clear_cache()


@pytest.mark.usefixtures("_listening", "cloud")
def test_hooks(statistic):
    (source,) = blocks()["Hooks"]
    run(source, {"Statistic": statistic})
    for _ in range(2):
        invoke("email", *bodies_for("email", [make_delivery().pk, make_delivery().pk]))
    assert list(statistic.objects.values_list("channel", "sent")) == [("email", 4)]
