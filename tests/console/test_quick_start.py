"""docs/quick-start.md, followed word by word in a fresh project: a model, a rule, and the message printed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from notifier.channels import registry
from notifier.console.printing import print_waiting
from notifier.models import Delivery, Event
from notifier.queue.publisher import diverted
from project.demo.models import Post
from tests.support.builders import make_audience, make_trigger, make_user

pytestmark = pytest.mark.one_database

HOUSE = Path(__file__).parents[2]
PAGE = (HOUSE / "docs" / "quick-start.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


# All in two processes: each start of Django takes a second. `in_shell` is what the page types into the shell,
# `commands` are its lines.
FOLLOWING = """
import json, os, sys
from pathlib import Path
import django
from django.core.management import call_command

migrating, in_shell, printing = json.loads(sys.argv[1])
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
sys.path.insert(0, os.getcwd())
django.setup()
for command in migrating:
    call_command(*command, verbosity=0)
exec(in_shell, {})
sys.stdout.write("PRINTED")
for command in printing * 2:
    call_command(*command)
"""


def commands(script):
    """``[["migrate"], …]`` of lines ``python manage.py migrate``."""
    return [line.split()[2:] for line in script.splitlines()]


@pytest.fixture
def run(tmp_path):
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO", "NOTIFIER", "DATABASE"))
    }

    def run(*command):
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False,
            env=environment | {"PYTHONPATH": str(HOUSE), "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_quick_start_prints_once_what_its_page_shows(run, tmp_path):
    settings, model, rule, event = blocks("python")
    migrating, printing = map(commands, blocks("sh"))
    run(
        "-c",
        "from django.core.management import call_command as c; c('startproject', 'shop', '.'); "
        "c('startapp', 'movies')",
    )
    with open(tmp_path / "shop" / "settings.py", "a") as file:
        file.write(settings)
    (tmp_path / "movies" / "models.py").write_text(model)

    printed = run("-c", FOLLOWING, json.dumps([migrating, rule + event, printing]))

    (shown,) = re.findall(r"```\n(─.*?)```", PAGE, re.S)
    assert printed.partition("PRINTED")[2] == shown


@pytest.fixture
def posts(db, monkeypatch, settings):
    monkeypatch.setattr(registry, "_registered", {"console"})
    settings.NOTIFIER = settings.NOTIFIER | {"ADDRESSES": {"console": "username", "email": "email"}}
    contents = {"console": {"text": "{{ instance.title }} for {{ user.first_name }}"}, "email": {"text": "-"}}
    make_trigger(contents=contents, channels=["console", "email"], audiences=[make_audience(everyone=True)])
    make_user(username="ada", first_name="Ada")
    with diverted():
        yield


@pytest.mark.django_db(transaction=True)
def test_each_is_printed_once_and_what_is_for_other_channels_waits(posts):
    Post.objects.create(title="Linen")
    printed = []

    assert [print_waiting(printed.append), print_waiting(printed.append)] == [1, 0]
    assert "To: ada\n\nLinen for Ada\n" in printed[0]
    assert Event.objects.get().status == "done"
    assert dict(Delivery.objects.values_list("channel", "status")) == {"console": "sent", "email": "queued"}


def test_no_deployment_has_it_unless_its_app_is_installed():
    assert "console" not in registry.channel_names()
