"""Keys and tokens of providers: read without what a store has added, and refused where they can be none."""

import pytest
from django.core.checks import run_checks

from lambdas import sms, twitter
from lambdas._handler import make_handler
from notifier.channels import credentials, registry
from notifier.channels.message import Message
from notifier.channels.webhook_secrets import signing_keys
from notifier.exceptions import ConfigurationError, Rejected

KEY = "a1b2c3d4-GEHEIM_/+="
ADDED = ["\n", "\r\n", " ", "\t", "\u00a0", "\u2028", "\ufeff", "\u200b", "\ufeff\n", "\x00"]
FAULTS = [
    # what is set, what is said of it
    (KEY, ""),
    ("", ""),  # what is missing is another's affair
    (f"{KEY}\nX-Evil: 1", "a line break or another control character"),
    (f"{KEY}\r{KEY}", "a line break or another control character"),
    (f"{KEY}\x00{KEY}", "a line break or another control character"),
    (f"{KEY}\u2028{KEY}", "a line break or another control character"),
    (f"{KEY}é", "not ASCII"),
    (f"“{KEY}”", "not ASCII"),
    (f"{KEY}\u200b{KEY}", "not ASCII"),
    (f'"{KEY}"', "in quotation marks"),
    (f"'{KEY}'", "in quotation marks"),
    (f'"{KEY}', "in quotation marks"),  # half of them
    (f"{KEY} {KEY}", "a blank"),  # two were put together
]
NAMES = [(channel, name) for channel in ("sms", "twitter") for name in registry.credentials(channel)]


@pytest.mark.parametrize("added", ADDED)
def test_what_a_store_or_an_editor_adds_at_the_ends_is_taken_away(monkeypatch, added):
    for text in (added + KEY, KEY + added, added + KEY + added):
        assert credentials.read("X_ACCESS_TOKEN", {"X_ACCESS_TOKEN": text}) == KEY


@pytest.mark.parametrize(("value", "said"), FAULTS)
def test_what_can_be_no_key_is_told_in_words_that_do_not_quote_it(value, said):
    sentence = credentials.unusable(["A_KEY"], {"A_KEY": value})
    assert (said in sentence, bool(sentence)) == (True, bool(said))
    assert "GEHEIM" not in sentence


@pytest.mark.django_db
@pytest.mark.parametrize(("channel", "name"), NAMES)
def test_each_key_of_each_channel_is_looked_at_by_the_check_and_by_its_own_functions_start(
    monkeypatch, channel, name
):
    monkeypatch.setenv(name, f"{KEY}\n")
    assert [each for each in run_checks() if each.id == "notifier.E011"] == []
    monkeypatch.setenv(name, f"{KEY}\n{KEY}")
    (found,) = [each for each in run_checks() if each.id == "notifier.E011"]
    assert name in found.msg
    assert "GEHEIM" not in f"{found}"

    send = {"sms": sms.send, "twitter": twitter.send}[channel]
    # Another function imports the module as well, to show what a message costs.
    make_handler(send, at_most_once=True, horizon_hours=1)
    monkeypatch.setenv("_HANDLER", f"lambdas.{channel}.handler")
    with pytest.raises(ConfigurationError, match=name) as caught:
        make_handler(send, at_most_once=True, horizon_hours=1)
    assert "GEHEIM" not in str(caught.value)


def test_where_no_check_was_made_each_message_says_which_variable_it_is(monkeypatch):
    for name in twitter.KEYS:
        monkeypatch.setenv(name, KEY)
    monkeypatch.setenv("X_ACCESS_TOKEN", f'"{KEY}"')
    with pytest.raises(Rejected, match="X_ACCESS_TOKEN cannot be used") as caught:
        twitter.send(Message(delivery=1, attempt=1, address="", text="Hello"), None)
    assert (caught.value.reason, "GEHEIM" in caught.value.detail) == ("not_configured", False)


def test_keys_that_stand_in_one_variable_are_each_without_what_was_added(monkeypatch):
    monkeypatch.setenv("WEBHOOK_SIGNING_KEYS", f"\ufeff{KEY * 3}\n,\n {KEY * 2} \n")
    assert signing_keys() == [KEY * 3, KEY * 2]
