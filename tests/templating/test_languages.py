"""Everybody gets the content, the numbers, the dates and the words of their own language, at their own time
of day.
"""

import datetime as dt
from decimal import Decimal

import pytest
from django.core import checks
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django.utils.translation.trans_real import get_supported_language_variant

from notifier import deliveries
from notifier.deliveries import composing
from notifier.deliveries.fanout import fan_out
from notifier.models import Delivery, Subscription, TemplateContent
from notifier.rules import plans
from notifier.templating import contents, languages, rendering
from notifier.templating.html_skeleton import Skeleton
from tests.support.builders import make_audience, make_event, make_template, make_trigger, make_user

pytestmark = pytest.mark.one_database

CHOICES = [
    # the languages that there are, the person's, the one that they get, the one that it is rendered in
    (["de-at", "de", "en", ""], "de-at", "de-at", "de-at"),  # exactly theirs
    (["de", "en", ""], "de-at", "de", "de-at"),  # its base; dates stay Austrian
    (["de-ch", "en"], "de-at", "de-ch", "de-ch"),  # a neighbour's is nearer than the site's
    (["de", "en-us", "en"], "fr", "en-us", "en-us"),  # the site's, exactly
    (["de", "en", ""], "fr", "en", "en"),  # the base of the site's; an English text has English dates
    (["de", ""], "fr", "", "fr"),  # any language: the words are translated, the dates are French
    (["de", ""], "", "", ""),  # nobody knows: the site's
    (["de", "it"], "fr", "de", "de"),  # whatever there is
    (["pt-BR"], "pt-br", "pt-BR", "pt-br"),  # however it was written
    ([""], "de", "", "de"),
    # Scripts and regions, by Django's table
    (["en", "zh-hans", "zh-hant"], "zh-tw", "zh-hant", "zh-tw"),
    (["en", "zh-hans", "zh-hant"], "zh-hk", "zh-hant", "zh-hk"),
    (["en", "zh-hans", "zh-hant"], "zh-mo", "zh-hant", "zh-mo"),
    (["en", "zh-hans", "zh-hant"], "zh-cn", "zh-hans", "zh-cn"),
    (["en", "zh-hans", "zh-hant"], "zh-sg", "zh-hans", "zh-sg"),
    (["en", "zh-hans", "zh-hant"], "zh-hant-hk", "zh-hant", "zh-hant-hk"),
    (["en", "zh-hant"], "zh-cn", "zh-hant", "zh-hant"),  # rather than English
    (["en", "zh-hans", "zh-hk"], "zh-tw", "zh-hk", "zh-hk"),  # the same script
    (["en", "zh-hans", "zh-tw"], "zh-hant", "zh-tw", "zh-tw"),
    (["en", "zh-cn", "zh-tw"], "zh", "zh-cn", "zh-cn"),
    (["en", "zh_Hant"], "zh-tw", "zh_Hant", "zh-tw"),  # however it was written
    (["en", "pt"], "pt-br", "pt", "pt-br"),
    (["en", "pt-br"], "pt", "pt-br", "pt-br"),
    (["en", "pt-br"], "pt-pt", "pt-br", "pt-br"),
    (["en", "sr", "sr-latn"], "sr-latn-rs", "sr-latn", "sr-latn-rs"),
    (["en", "sr-latn"], "sr", "sr-latn", "sr-latn"),
    (["de", "en-gb"], "fr", "en-gb", "en-gb"),  # the site's language is nearer than any
    (["en-gb", "en-us"], "en-au", "en-gb", "en-gb"),
    (["de", "en"], "en-gb", "en", "en-gb"),
    (["en", "nb", "nn"], "nb-no", "nb", "nb-no"),
    (["en", "nb"], "nn", "en", "en"),  # Django holds them for two languages, and so `no`, `iw`
    (["en", "nb"], "no", "en", "en"),
    (["en", "he"], "iw", "en", "en"),
    (["en", "fil"], "fi", "en", "en"),  # a name is no part of another
]
AS_DJANGO = [
    "zh-tw",
    "zh-hk",
    "zh-cn",
    "zh-hant-tw",
    "zh",
    "pt",
    "pt-br",
    "sr-latn-rs",
    "sr",
    "nb",
    "no",
    "iw",
    "de-at",
]
SUPPORTED = ["de-ch", "zh-hant", "zh-hans", "pt", "pt-br", "sr-latn", "nb", "en-gb", "en"]


@pytest.mark.parametrize("language", AS_DJANGO)
@pytest.mark.parametrize("number", range(len(SUPPORTED)))
def test_the_nearest_language_is_djangos_choice(language, number, settings):
    """Over each tail of the list, in the order that Django looks through: sorted, as ours is."""
    settings.LANGUAGES = [(each, each) for each in sorted({*SUPPORTED[number:], "en", "fr"})]
    settings.LANGUAGE_CODE = "fr"
    available = [each for each, _ in settings.LANGUAGES]
    try:
        expected = get_supported_language_variant(language)
    except LookupError:
        expected = "fr"
    assert languages.choose(available, language) == expected


@pytest.mark.parametrize(("available", "person", "chosen", "spoken"), CHOICES)
def test_a_person_gets_their_language_then_the_sites_then_any(available, person, chosen, spoken):
    step = {"contents": {"email": {language: number for number, language in enumerate(available)}}}
    assert plans.version_for(step, "email", person) == (available.index(chosen), spoken)


TAGS = [
    # what the user model holds, the tag
    ("de", "de"),
    (" DE_at ", "de-at"),
    ("zh-hans", "zh-hans"),
    (None, ""),
    ("", ""),
    ("German, please", ""),
    ("../../de", ""),
    ("d" * 30, ""),
    ("tlh", "tlh"),  # a language that Django does not know
    (5, ""),
]


@pytest.mark.parametrize(("value", "tag"), TAGS)
def test_what_is_no_language_is_none(value, tag):
    assert languages.tag_of(value) == tag


ZONES = [
    "Mars/Olympus",
    "../../etc/passwd",
    "/etc/passwd",
    "America",
    "",
    None,
    "Europe/Berlin\0",
    "x" * 99,
    "\ud800",
]


@pytest.mark.parametrize("zone", ZONES)
def test_what_is_no_time_zone_is_none_and_the_sites_is_used(zone):
    assert languages.zone_name(zone) == ""
    with timezone.override("Asia/Tokyo"), languages.in_language("tlh", ""):
        assert (timezone.get_current_timezone_name(), translation.get_language()) == ("UTC", "en-us")


MOMENT = dt.datetime(2026, 3, 5, 23, 30, tzinfo=dt.UTC)
RENDERED = [
    # source, language, time zone, what is sent
    ("{{ at|date:'j F H:i' }}", "de", "Europe/Berlin", "6 März 00:30"),
    ("{{ at|date:'j F H:i' }}", "de-at", "America/New_York", "5 März 18:30"),
    ("{{ at|date:'j F H:i' }}", "", "", "5 March 23:30"),
    ("{{ at|time:'H:i' }}", "fr", "Asia/Tokyo", "08:30"),
    ("{{ price|floatformat:2 }} {{ price }} {{ many|floatformat:'0g' }}", "de", "", "12,50 12,5 1.234.567"),
    ("{{ price|floatformat:2 }} {{ price|unlocalize }}", "", "", "12.50 12.5"),
    ("{{ price|unlocalize }} {{ price|localize }}", "de", "", "12.5 12,5"),
    ('{% translate "Monday" %}', "de", "", "Montag"),
    ("{% trans 'Monday' %}", "fr-ca", "", "lundi"),
    ('{% translate "Monday" %}', "tlh", "", "Monday"),
    ('{% translate "May" context "alt. month" %}', "de", "", "Mai"),
    ('{% translate "Monday" as day %}{{ day|upper }}', "de", "", "MONTAG"),
    ("{% translate day %} {% translate day|upper %}", "de", "", "Montag MONDAY"),
    # Nothing is put in its place
    ('{% translate "100% Monday %s %(x)s" %}', "de", "", "100% Monday %s %(x)s"),
    ('{% translate "" %}{% translate none %}', "de", "", ""),  # gettext would give the catalogue's head
    ("{% translate price %}", "de", "", "12,5"),
    (
        "{% translate 'Monday' %}{% if user.name %}{% translate 'Tuesday' %}{% endif %}",
        "de",
        "",
        "MontagDienstag",
    ),
]


@pytest.mark.parametrize(("source", "language", "zone", "sent"), RENDERED)
def test_words_numbers_and_times_are_the_persons(source, language, zone, sent):
    data = {"at": MOMENT, "price": Decimal("12.5"), "many": 1234567, "day": "Monday"}
    with translation.override("ja"), timezone.override("Asia/Tokyo"):  # whoever works here
        parts = rendering.render_unsaved(
            {"text": source}, language=language, time_zone=zone, data=data, user={"name": "Ann"}, links={}
        )
    assert parts["text"] == sent


def test_a_translation_of_data_is_escaped_and_one_of_the_template_is_as_in_django():
    source = "{% translate name %}{% translate '<b>' %}{% translate name as x %}{{ x }}"
    assert contents.compile_content("", "", source).html.render({"name": "<i>"}) == "&lt;i&gt;<b>&lt;i&gt;"


def test_a_text_is_made_from_each_html_where_words_are_translated():
    assert Skeleton.of("<p>{% translate 'Tom &amp; Ann' %}</p>") is None
    assert (
        rendering.render_unsaved(
            {"html": "<p>{% translate 'Monday' %} &amp;</p>"}, language="de", data={}, user={}, links={}
        )["text"]
        == "Montag &"
    )


@pytest.fixture
def people(settings):
    """People whose names are their languages and time zones."""
    settings.NOTIFIER = settings.NOTIFIER | {"LANGUAGE": "last_name", "TIME_ZONE": "first_name"}
    rows = [("de_AT", "Europe/Vienna"), ("en", "nowhere"), ("", ""), ("nonsense!", "Asia/Tokyo"), ("fr", "")]
    return [make_user(last_name=language, first_name=zone) for language, zone in rows]


def make_event_in_languages(people):
    event = make_event(
        contents={"email": {"text": "any {{ at|date:'j F H:i' }}"}},
        data={"at": MOMENT},
        audiences=[make_audience(users=people)],
    )
    template = event.trigger.subscriptions.get().template
    for language in ("de", "en"):
        TemplateContent.objects.create(
            template=template, channel="email", language=language, text=language + " {{ at|date:'j F H:i' }}"
        )
    event.plan[0]["contents"] = plans.contents_of(template.contents.all())
    event.save()
    return event


@pytest.mark.django_db
def test_each_person_is_sent_their_language_at_their_time(people):
    event = make_event_in_languages(people)
    fan_out(event.pk, lease_seconds=900)
    rows = Delivery.objects.order_by("pk").values_list("language", "time_zone")
    assert list(rows) == [
        ("de-at", "Europe/Vienna"),
        ("en", ""),
        ("en", ""),
        ("en", "Asia/Tokyo"),
        ("en", ""),
    ]
    works = deliveries.claim_deliveries(
        list(Delivery.objects.values_list("pk", flat=True)), channel="email", lease_seconds=900
    )
    ready, refused = composing.compose_messages(works)
    assert refused == []
    assert [message.text for _, message in sorted(ready, key=lambda pair: pair[0].pk)] == [
        "de 6 März 00:30", "en 5 March 23:30", "en 5 March 23:30", "en 6 March 08:30", "en 5 March 23:30"
    ]  # fmt: skip


@pytest.mark.django_db
def test_the_language_and_the_zone_cost_no_query(people, settings):
    counted = []
    for ours in ({}, {"LANGUAGE": "", "TIME_ZONE": ""}):
        event = make_event_in_languages(people)
        settings.NOTIFIER = settings.NOTIFIER | ours
        with CaptureQueriesContext(connection) as queries:
            fan_out(event.pk, lease_seconds=900)
        counted.append(len(queries))
    assert counted[0] == counted[1]


@pytest.mark.django_db
def test_a_content_in_any_language_suffices_for_a_channel():
    template = make_template({"email": {"text": "Hallo", "language": "de"}})
    Subscription(trigger=make_trigger(subscribe=False), template=template, channels=["email"]).full_clean()


PATHS = [
    # a path, whether the check says something
    ("last_name", False),
    ("profile.phone", False),
    ("profile.language", True),
    ("profile", False),
    ("groups.name", True),  # of many
    ("no_such", True),
    ("first_name.x", True),
]


@pytest.mark.parametrize(("path", "wrong"), PATHS)
def test_a_path_that_leads_nowhere_is_an_error_of_the_checks(path, wrong, settings):
    for ours in ({"LANGUAGE": path}, {"TIME_ZONE": path}, {"ADDRESSES": {"email": path}}):
        settings.NOTIFIER = settings.NOTIFIER | ours
        assert (
            "notifier.E012" in [problem.id for problem in checks.run_checks(tags=["compatibility"])]
        ) is wrong
