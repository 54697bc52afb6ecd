"""An audience in words: in a rule's sentence, while it is set up, and where people were looked for."""

import gettext
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group
from django.utils import translation
from django.utils.translation import trans_real

from notifier.explaining.audience_words import describe_audience, describe_sources, describe_unsaved
from notifier.models import Audience
from tests.support.builders import make_user

pytestmark = pytest.mark.django_db

WORDS = [
    # the sources, as a rule says it, as where people were looked for
    ({"everyone": True}, "all active users", "all active users"),
    ({"groups": ["Staff"]}, "the group Staff", "the group “Staff”"),
    ({"users": 1}, "those in “A”", "users chosen by name"),
    ({"paths": "instance.owner"}, "its owner", "whom instance.owner named"),
    ({"paths": "sms: movie.lead_actor"}, "the movie’s lead actor", "whom movie.lead_actor named"),
    ({"callables": ["near"]}, "whom “near” finds", "the function “near”"),
    ({"addresses": "email: a@example.com"}, "those in “A”", "1 plain address"),
    ({"addresses": "email: a@example.com\nsms: +49"}, "those in “A”", "2 plain addresses"),
    ({}, "nobody (“A” is empty)", ""),
    (
        {"everyone": True, "groups": ["Staff"], "paths": "instance.owner"},
        "all active users, the group Staff and its owner",
        "all active users, the group “Staff”, whom instance.owner named",
    ),
]


@pytest.mark.parametrize(("sources", "rule", "looked"), WORDS)
def test_a_saved_audience_is_said_without_naming_anybody(sources, rule, looked):
    plain = {name: value for name, value in sources.items() if name not in ("groups", "users")}
    audience = Audience.objects.create(name="A", **plain)
    audience.groups.set([Group.objects.create(name=name) for name in sources.get("groups", ())])
    audience.users.set([make_user() for _ in range(sources.get("users", 0))])
    assert describe_audience(audience) == rule
    assert describe_sources([audience, audience]) == looked


DRAFTS = [
    # what is chosen, how many groups and people, what the set-up page says
    ({"everyone": True}, [], [], "all active users"),
    ({}, ["Staff", "Press"], [], "the group Staff and the group Press"),
    ({}, [], ["ada", "bo", "chi"], "ada, bo and chi"),
    ({}, [], ["ada", "bo", "chi", "dun"], "4 chosen people"),
    ({"paths": "instance.owner"}, [], [], "its owner"),
    ({"callables": ["near"]}, [], [], "whom “near” finds"),
    ({"addresses": "email: a@example.com\n+49"}, [], [], "a@example.com and +49"),
    ({}, [], [], ""),
]


@pytest.mark.parametrize(("values", "groups", "people", "words"), DRAFTS)
def test_an_audience_that_is_being_set_up_names_the_few_people_that_it_is_of(values, groups, people, words):
    groups = [SimpleNamespace(name=name) for name in groups]
    assert describe_unsaved(Audience(**values), groups, people) == words


def test_all_three_say_it_in_the_readers_language(monkeypatch):
    german = gettext.NullTranslations()
    german.gettext = lambda text: {"all active users": "alle aktiven Personen"}.get(text, text)
    monkeypatch.setitem(trans_real._translations, "de", german)
    everyone = Audience.objects.create(name="A", everyone=True)
    with translation.override("de"):
        found = {
            describe_audience(everyone),
            describe_unsaved(everyone, [], []),
            describe_sources([everyone]),
        }
    assert found == {"alle aktiven Personen"}
