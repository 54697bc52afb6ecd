"""``manage.py run`` and ``manage.py demo``, as a person uses them."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing, contextmanager

import pytest
from django.core.management.base import CommandError

from notifier.local.management.commands.run import path_of
from tests.support.patience import PATIENCE_SECONDS


@pytest.fixture
def environment(tmp_path):
    return environment_with(tmp_path / "db.sqlite3")


def environment_with(database):
    # Unbuffered: what a terminal shows at once would wait in a pipe.
    ours = {"DJANGO_SETTINGS_MODULE": "project.settings", "PYTHONUNBUFFERED": "1"}
    return os.environ | ours | {"DATABASE_URL": f"sqlite:///{database}"}


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """``(what the demo printed as JSON, its database)``."""
    database = tmp_path_factory.mktemp("demo") / "db.sqlite3"
    done = manage("demo", "--json", environment=environment_with(database))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), database


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def manage(*arguments, environment):
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


@pytest.fixture
def interruptible():
    """Processes started here can be interrupted, also where this one cannot: a shell's background job passes
    on that it ignores it.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextmanager
def running(port, environment):
    """``manage.py run`` on ``port``; yields the process and what it has printed by the time that it
    serves.
    """
    command = [sys.executable, "manage.py", "run", "--port", str(port)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            printed = []
            for line in process.stdout:
                printed.append(line)
                if "Quit the server" in line:
                    break
            yield process, "".join(printed)
        finally:
            process.kill()


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_SECONDS) as answer:
        return answer.status, answer.read().decode()


def test_run_sends_a_flash_sale_and_serves_admin_styles_and_outbox_until_it_is_interrupted(
    environment, interruptible
):
    port = free_port()
    with running(port, environment) as (process, printed):
        assert "ada@example.com" in printed
        assert f"http://127.0.0.1:{port}/admin/" in printed
        assert "admin / notifier" in printed
        assert "48 hours of linen" in get(port, "/outbox/")[1]
        assert get(port, "/admin/login/")[0] == 200
        assert "--primary" in get(port, "/static/admin/css/base.css")[1]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0


WITHOUT_THE_DEMO = """
from project.settings import *
INSTALLED_APPS.remove("project.demo")
NOTIFIER["ADDRESSES"] = {"email": "email"}
"""


def test_a_project_without_the_demo_has_run_too(tmp_path, played, interruptible):
    """Of the demo only the tables are there, as they are in any project that has migrated."""
    (tmp_path / "shop_settings.py").write_text(WITHOUT_THE_DEMO)
    ours = {"DJANGO_SETTINGS_MODULE": "shop_settings", "PYTHONPATH": str(tmp_path)}
    port = free_port()
    with running(port, environment_with(played[1]) | ours) as (process, printed):
        assert (
            f"  Admin    http://127.0.0.1:{port}/admin/\n  Outbox   http://127.0.0.1:{port}/outbox/\n"
            in printed
        )
        assert "48 hours of linen" not in printed + get(port, "/outbox/")[1]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0


def test_a_project_without_the_outboxs_page_is_told_the_line_that_it_needs(settings):
    settings.ROOT_URLCONF = "notifier.urls"
    with pytest.raises(CommandError, match=re.escape('path("outbox/", include("notifier.local.urls"))')):
        path_of("outbox")


def test_a_port_that_is_taken_is_a_clear_sentence(environment):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = manage("run", "--port", str(port), environment=environment)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"CommandError: Port {port} cannot be used (Address already in use). Choose another: "
        f"make run PORT={port + 1}"
    )


def test_the_demo_prints_every_message_as_json(played):
    rows, _ = played
    sent = [row for row in rows if row["status"] == "sent"]
    assert len(sent) == 23
    assert {"channel", "recipient", "subject", "body", "status", "provider_id", "event", "attempts"} <= rows[
        0
    ].keys()
    mail = next(row for row in sent if row["recipient"] == "dunya@example.com")
    assert "Hello Dunya & Söhne," in mail["body"]
    assert all(row["provider_id"] and row["body"] for row in sent)


def test_the_demo_fails_and_names_what_is_missing(played):
    _, database = played
    with closing(sqlite3.connect(database)) as connection, connection:
        switched_off = connection.execute(
            "UPDATE notifier_trigger SET enabled = FALSE WHERE name = 'Post created'"
        ).rowcount
    assert switched_off == 1
    done = manage("demo", environment=environment_with(database))
    assert done.returncode == 1
    assert done.stderr.strip().endswith("CommandError: Missing: twitter to @notifier_demo")
