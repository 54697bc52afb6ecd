"""Labels and lazy texts reach each reader in their own language, whatever language the one who acts reads."""

import datetime as dt
import json

import pytest
from django.db import models
from django.test.utils import isolate_apps
from django.utils import timezone, translation
from django.utils.functional import lazystr
from django.utils.text import format_lazy
from django.utils.translation import gettext, gettext_lazy, ngettext_lazy, npgettext_lazy, pgettext_lazy

from notifier import register_provider
from notifier.models import Event, TemplateContent
from notifier.templating import snapshot
from notifier.templating.compiler import compile_part
from notifier.testing import capture_notifications
from tests.app.models import Order, Parcel
from tests.support.builders import make_audience, make_trigger, make_user
from tests.support.observing import register

pytestmark = pytest.mark.one_database

LAZY = [
    # an argument, what it is in German, what it is in French
    (gettext_lazy("Monday"), "Montag", "lundi"),
    (pgettext_lazy("alt. month", "May"), "Mai", "Mai"),
    (ngettext_lazy("The year", "Years", 1), "The year", "The year"),
    (npgettext_lazy("x", "a", "b", 2), "b", "b"),  # in no catalogue
    (format_lazy("{}, {day}", gettext_lazy("Monday"), day=gettext_lazy("May")), "Montag, Mai", "lundi, mai"),
    (lazystr("Monday"), "Monday", "Monday"),
    ([gettext_lazy("Monday")], "[Montag]", "[lundi]"),
    ({"day": gettext_lazy("Monday")}, "Montag", "lundi"),
]  # fmt: skip


def stored(data):
    return json.loads(json.dumps(data, cls=snapshot.Encoder), cls=snapshot.Decoder)


def rendered(source, data, language):
    with translation.override(language):
        return compile_part(source, html=True).render(data)


@pytest.mark.parametrize(("value", "german", "french"), LAZY)
def test_a_lazy_text_is_kept_as_what_to_translate(value, german, french):
    source = "{{ day.day }}" if isinstance(value, dict) else "{{ day }}"
    with translation.override("fr"):
        paths = compile_part(source, html=True).paths
        data = stored(snapshot.freeze({"day": value}, paths))
    expected = {"de": german, "fr": french}
    for language, text in expected.items():
        shown = rendered(source, data, language)
        assert shown.replace("&#x27;", "").replace("‘", "").replace("’", "") == text


def test_it_is_a_text_to_filters_and_conditions():
    data = stored({"day": gettext_lazy("Monday")})
    source = "{{ day|upper }} {{ day|length }} {{ day|slice:':3' }} {{ day|json }} {{ day|default:'x' }}"
    assert rendered(source, data, "de") == "MONTAG 6 Mon &quot;Montag&quot; Montag"
    source = "{% if day == 'Montag' and 'Mon' in day %}yes{% endif %}{% with d=day %}{{ d }}{% endwith %}"
    assert rendered(source, data, "de") == "yesMontag"
    assert rendered("{% for d in days %}{{ d }}{% endfor %}", {"days": [data["day"]]}, "de") == "Montag"


NOT_OURS = [
    {"$t": "translated", "v": "gettext"},
    {"$t": "translated", "v": ["os.system", ["ls"], {}]},
    {"$t": "translated", "v": ["gettext", "Monday", {}]},
    {"$t": "translated", "v": ["gettext"]},
    {"$t": "translated", "v": None},
]


@pytest.mark.parametrize("found", NOT_OURS)
def test_what_only_looks_like_one_stays_as_it_is(found):
    assert stored(found) == found


@isolate_apps("tests.app")
def test_labels_of_choices_are_kept_and_a_method_of_ones_own_is_called():
    class Day(models.Model):
        day = models.CharField(choices=[("mo", gettext_lazy("Monday")), ("tu", "Tuesday")])
        state = models.IntegerField(choices=[(1, gettext_lazy("Monday"))], null=True)
        own = models.CharField(choices=[("a", "A")])

        class Meta:
            app_label = "shop"

        def get_own_display(self):
            return f"own {gettext('Monday')}"

    source = "{{ x.get_day_display }} {{ x.get_state_display }} {{ x.get_own_display }}"
    paths = compile_part(source, html=False).paths
    days = [Day(day="mo", state=1, own="a"), Day(day="tu", state=2), Day(day="gone", state=None)]
    with translation.override("fr"):
        shown = [rendered(source, stored(snapshot.freeze({"x": day}, paths)), "de") for day in days]
    # What a method gives is a text: the site's language, for all.
    assert shown == ["Montag Montag own Monday", "Tuesday 2 own Monday", "gone None own Monday"]


class Days(models.TextChoices):
    MONDAY = "mo", gettext_lazy("Monday")


@pytest.mark.django_db
def test_each_reader_reads_their_own_language_whoever_acts(settings, monkeypatch):
    settings.NOTIFIER = settings.NOTIFIER | {"LANGUAGE": "last_name"}
    monkeypatch.setattr(Order._meta.get_field("status"), "choices", Days.choices)
    readers = [make_user(last_name=each) for each in ("de", "fr", "it", "")]
    text = "{{ instance.get_status_display }}, {{ previous.get_status_display }}"
    make_trigger(
        model="shop.order", contents={"email": {"text": text}}, audiences=[make_audience(users=readers)],
        condition='instance.get_status_display == "Monday"',
    )  # fmt: skip
    order = Order.objects.create(number="17", status="x")
    order.status = "mo"
    order.save()
    with capture_notifications() as sent, translation.override("fr"):
        order.save()
    by_address = {message.address: message.text for message in sent}
    assert [by_address[reader.email] for reader in readers] == [
        "Montag, Montag", "lundi, lundi", "Lunedì, Lunedì", "Monday, Monday"
    ]  # fmt: skip


@pytest.mark.django_db
def test_what_is_a_text_already_is_read_in_the_sites_language(monkeypatch):
    """An object's own text, a method, a property, a provider: one text for all readers, not the actor's."""
    monkeypatch.setattr(Parcel, "__str__", lambda self: gettext("Monday"))
    monkeypatch.setattr(Parcel, "summary", property(lambda self: gettext("Tuesday")))
    monkeypatch.setattr(
        Parcel, "get_absolute_url", lambda self: f"/{translation.get_language()}/", raising=False
    )
    register_provider("of_the_site", lambda context: {"zone": timezone.get_current_timezone_name()}, ["zone"])
    text = "{{ instance }} {{ instance.summary }} {{ instance.get_absolute_url }} {{ zone }}"
    trigger = make_trigger(model="shop.parcel", contents={"email": {"text": text}})
    template = TemplateContent.objects.get(template__subscriptions__trigger=trigger).template
    template.providers = ["of_the_site"]
    template.save()
    with translation.override("fr"), timezone.override("Asia/Tokyo"):
        Parcel.objects.create(label="Books", sent_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    data = Event.objects.get().data
    assert data["instance"][""] == "Monday"
    assert (data["instance"]["summary"], data["instance"]["get_absolute_url"]) == ("Tuesday", "/en-us/")
    assert data["zone"] == "UTC"


@pytest.mark.django_db
def test_an_argument_of_a_signal_of_ones_own_is_translated_for_its_reader(settings):
    settings.NOTIFIER = settings.NOTIFIER | {"LANGUAGE": "last_name"}
    signal = register("weekday_came", args=["day"])
    audience = make_audience(users=[make_user(last_name="de")])
    make_trigger(
        verb="weekday_came", model="", contents={"email": {"text": "{{ day }}"}}, audiences=[audience]
    )
    with capture_notifications() as sent, translation.override("fr"):
        signal.send(sender=None, day=gettext_lazy("Monday"))
    assert [message.text for message in sent] == ["Montag"]
