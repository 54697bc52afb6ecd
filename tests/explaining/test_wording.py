"""Why a delivery ended as it did, in words: one table, in the reader's language."""

import gettext
from types import SimpleNamespace

import pytest
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import trans_real

from notifier.deliveries import SATISFIED, UNREACHABLE
from notifier.explaining import wording

WORDS = [
    # status, reason, detail, what is said of it
    ("failed", "message_rejected", "", "the provider refused the message."),
    ("failed", "message_rejected", "550 no.", "the provider refused the message. 550 no."),
    ("failed", "message_rejected", "message_rejected", "the provider refused the message."),
    ("waiting", "throttled", "", "the provider asked for more time."),
    ("skipped", "throttled", "", "the person has had as many as the subscription allows."),
    ("failed", "a_word_of_theirs", "", "a word of theirs."),
    ("failed", "", "", "no reason was given."),
]


@pytest.mark.parametrize(("status", "reason", "detail", "words"), WORDS)
def test_a_reason_is_said_in_words_then_the_providers_own(status, reason, detail, words):
    found = wording.words_of(SimpleNamespace(status=status, reason=reason, detail=detail))
    assert (found, type(found)) == (words, str)


@pytest.mark.parametrize("reason", sorted([*wording.REASONS, *wording.SKIPPED]))
def test_every_reason_is_said_in_the_readers_language(reason):
    for table in (wording.REASONS, wording.SKIPPED):
        assert isinstance(table.get(reason, translation.gettext_lazy("")), Promise)


def test_the_words_are_those_of_whoever_reads_and_not_of_whoever_started(monkeypatch):
    german = gettext.NullTranslations()
    german.gettext = {"the account is not active.": "das Konto ist nicht aktiv."}.get
    monkeypatch.setitem(trans_real._translations, "de", german)
    row = SimpleNamespace(status="skipped", reason="inactive", detail="")
    with translation.override("de"):
        assert wording.words_of(row) == "das Konto ist nicht aktiv."
    assert wording.words_of(row) == "the account is not active."


def test_whatever_a_person_is_not_reached_for_has_words():
    assert {*UNREACHABLE, *SATISFIED} <= wording.REASONS.keys()
