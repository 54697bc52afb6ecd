"""The rooms of the chat channel: readable, and of services that the function would use. Nothing is sent."""

import json

import pytest

from notifier.deploy.doctor.findings import Severity
from notifier.local.chat import ROOMS, TELEGRAM_BOT
from tests.deploy.doctor.conftest import only, put_secret

pytestmark = pytest.mark.one_database

CHECK = "the rooms of the chats"


@pytest.fixture
def visit_chat(account, visit, settings_file):
    handler = {"extends": "production", "lambda_handler": "lambdas.chat.handler", "timeout_seconds": 60}
    settings_file.edit("production_chat", **handler)

    def visit_chat(text):
        put_secret("/shop-production/CHAT_ROOMS", text)
        return visit(CHECK)

    return visit_chat


@pytest.mark.parametrize(
    ("text", "severity", "said"),
    [
        ("{}", Severity.WARNING, "names no room"),  # nothing can be sent
        ("tgram://x", Severity.ERROR, "no JSON object"),  # not readable
        (json.dumps({"ops": "nonsense://x"}), Severity.ERROR, "room “ops”"),  # Apprise does not know it
        (json.dumps({"log": "syslog://"}), Severity.ERROR, "room “log”"),  # it does not go out
        # No address could name it
        (json.dumps({"two words": f"tgram://{TELEGRAM_BOT}/1"}), Severity.ERROR, "room’s name"),
    ],
)
def test_a_room_that_cannot_be_used_is_said_until_it_is_mended(visit_chat, text, severity, said):
    finding = only(visit_chat(text))
    assert finding.severity is severity
    assert said in finding.what
    assert TELEGRAM_BOT not in f"{finding}"
    assert "/shop-production/CHAT_ROOMS" in finding.remedy
    assert visit_chat(json.dumps(ROOMS)) == []


def test_without_a_stage_the_rooms_are_those_of_this_process(edge, visit, monkeypatch):
    monkeypatch.setenv("CHAT_ROOMS", json.dumps(ROOMS))
    assert visit(CHECK, stage="") == []
    monkeypatch.delenv("CHAT_ROOMS")
    assert "export CHAT_ROOMS" in only(visit(CHECK, stage="")).remedy
