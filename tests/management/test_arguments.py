"""``notify emit --arg``: what is typed is read as the type that the signal is registered with."""

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from notifier.models import Event
from project.demo.models import Movie
from tests.support.builders import make_trigger
from tests.support.observing import registering

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]
register = registering


ARGUMENTS = [
    # the registered type, what is typed, what the event holds
    (str, "12", "12"),
    (int, "12", 12),
    (Decimal, "12.50", Decimal("12.50")),
    (bool, "true", True),
    (dt.date, "2026-01-31", dt.date(2026, 1, 31)),
    (dict, '{"a": 1}', {"a": 1}),
    (list, "[1, 2]", [1, 2]),
    (object, "12", 12),
]


@pytest.mark.parametrize(("kind", "typed", "held"), ARGUMENTS)
def test_an_argument_is_read_as_its_registered_type(register, kind, typed, held):
    register("shipped", {"it": kind})
    make_trigger(verb="shipped", model="", contents={"email": {"text": "{{ it }}"}})
    call_command("notify", "emit", "shipped", "--arg", f"it={typed}")
    assert Event.objects.get().data["it"] == held


def test_an_object_is_named_by_its_key_where_its_type_is_registered(register):
    register("shown", {"movie": Movie, "user": User})
    make_trigger(verb="shown", model="", contents={"email": {"text": "{{ movie.title }}"}})
    movie = Movie.objects.create(title="Stalker")
    for text in (str(movie.pk), f"demo.movie:{movie.pk}"):
        call_command("notify", "emit", "shown", "--arg", f"movie={text}")
    assert [event.data["movie"]["title"] for event in Event.objects.all()] == ["Stalker"] * 2
    with pytest.raises(CommandError, match="registered with User"):
        call_command("notify", "emit", "shown", "--arg", f"user=demo.movie:{movie.pk}")
