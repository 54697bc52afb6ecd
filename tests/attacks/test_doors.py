"""The configuration that a site has for whoever reaches it: nothing that is known or made for one person's
machine serves others.
"""

import os
import stat
import subprocess
import sys

import pytest
from django.conf import settings as project
from django.core.exceptions import ImproperlyConfigured

from tests.deploy.conftest import FUNCTION, _same_environment_afterwards, on_lambda, read_settings

__all__ = ["_same_environment_afterwards", "on_lambda", "read_settings"]

KEY = FUNCTION["SECRET_KEY"]
SERVER = {
    "ALLOWED_HOSTS": "shop.example.com",
    "DATABASE_URL": "postgres://u:p@db.internal/shop",
    "DEFAULT_FROM_EMAIL": "shop@example.com",
    "NOTIFIER_TOPIC_ARN": FUNCTION["NOTIFIER_TOPIC_ARN"],
    "SECRET_KEY": KEY,
    "AWS_LAMBDA_FUNCTION_NAME": None,
}

# Which names are this machine's.

THIS_MACHINE = [
    None, "", " , ", "localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.0.0.2", "[::1]", "::1",
    "localhost, 127.0.0.1,[::1]", "shop.localhost", ".localhost",
]  # fmt: skip
OTHERS = [
    "shop.example.com", ".example.com", "localhost,shop.example.com", "shop.example.com,localhost", "0.0.0.0",
    "192.168.1.5", "10.0.0.1", "[fe80::1]", "[::]", "localhost.example.com", "notlocalhost",
    "127.0.0.1.nip.io", "localhost.localdomain", "local", "128.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("hosts", THIS_MACHINE)
def test_a_developers_own_machine_needs_no_variable(read_settings, hosts):
    found = read_settings(ALLOWED_HOSTS=hosts, AWS_LAMBDA_FUNCTION_NAME=None)
    assert (found["LOCAL"], found["SESSION_COOKIE_SECURE"]) == (True, False)
    assert "notifier.local" in found["INSTALLED_APPS"]


@pytest.mark.parametrize("hosts", OTHERS)
def test_whoever_can_be_asked_by_another_name_is_a_server(read_settings, hosts):
    with pytest.raises(ImproperlyConfigured) as caught:
        read_settings(ALLOWED_HOSTS=hosts, AWS_LAMBDA_FUNCTION_NAME=None)
    said = str(caught.value)
    for name in ("SECRET_KEY", "DATABASE_URL", "DEFAULT_FROM_EMAIL", "NOTIFIER_TOPIC_ARN"):
        assert f"{name} is missing" in said
    assert "→ the environment, as ALLOWED_HOSTS names another machine than this one" in said


@pytest.mark.parametrize("hosts", ["*", "shop.example.com,*", ".", " * "])
@pytest.mark.parametrize("place", [SERVER, FUNCTION], ids=["a server", "Lambda"])
def test_nobody_answers_to_every_name(read_settings, place, hosts):
    with pytest.raises(ImproperlyConfigured, match="it allows every host; name the domains"):
        read_settings(**place | {"ALLOWED_HOSTS": hosts})


# What each place is, once it has all that it needs.

PLACES = {
    # where → its environment, and what of a developer's machine it has
    "a developer's machine": ({"AWS_LAMBDA_FUNCTION_NAME": None, "DEBUG": "1"}, True),
    "a server of one's own": (SERVER | {"DEBUG": "1"}, False),
    "a server that is localhost too": (SERVER | {"ALLOWED_HOSTS": "localhost,shop.example.com"}, False),
    "a server on the local network": (SERVER | {"ALLOWED_HOSTS": "192.168.1.5", "DEBUG": "1"}, False),
    "a function": (FUNCTION | {"ALLOWED_HOSTS": "shop.example.com", "DEBUG": "1"}, False),
    "a function that says it is localhost": (FUNCTION | {"ALLOWED_HOSTS": "localhost", "DEBUG": "1"}, False),
}


@pytest.mark.parametrize(("environment", "local"), PLACES.values(), ids=PLACES)
def test_only_a_developers_machine_has_what_is_for_developers(read_settings, environment, local):
    found = read_settings(**environment)
    assert {
        "local": found["LOCAL"],
        "DEBUG": found["DEBUG"],
        "the outbox": "notifier.local" in found["INSTALLED_APPS"],
        "plain cookies": not (found["SESSION_COOKIE_SECURE"] and found["CSRF_COOKIE_SECURE"]),
        "plain HTTP": not (found["SECURE_SSL_REDIRECT"] and found["SECURE_HSTS_SECONDS"]),
        "delivers to everybody without being told": found["DELIVER_ONLY_TO"] is None,
        "links to this machine": found["BASE_URL"].startswith("http://localhost"),
    } == dict.fromkeys(
        ["local", "DEBUG", "the outbox", "plain cookies", "plain HTTP"]
        + ["delivers to everybody without being told", "links to this machine"],
        local,
    )


@pytest.mark.parametrize(
    ("stage", "only", "expected"),
    [(None, None, []), ("production", None, None), ("staging", None, []), (None, "everybody", None)],
)
def test_a_server_delivers_to_those_that_its_stage_delivers_to(read_settings, stage, only, expected):
    found = read_settings(**SERVER, STAGE=stage, DELIVER_ONLY_TO=only)
    assert found["DELIVER_ONLY_TO"] == expected


# Keys that are known.

BAD_KEYS = {
    "the default of earlier versions": "not-secret-and-only-for-this-machine",
    "the same with a line break": "not-secret-and-only-for-this-machine\n",
    "startproject's": "django-insecure-=f@5w!k2vn#8s&0x3+q7z1m4c6b9y-ablkjhgfdsapoiu",
    "empty": "",
    "blank": " \n",
    "a word": "change-me",
    "31 characters": KEY[:31],
    "one character over and over": "a" * 50,
    "few characters": "abcdefg" * 8,
}


@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS)
@pytest.mark.parametrize("place", [SERVER, FUNCTION], ids=["a server", "Lambda"])
def test_a_key_that_others_know_or_could_guess_is_refused(read_settings, place, key):
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY cannot be used") as caught:
        read_settings(**place | {"SECRET_KEY": key})
    assert key.strip() == "" or key.strip() not in str(caught.value)


@pytest.mark.parametrize("name", ["startproject's", "the default of earlier versions", "a word"])
def test_nor_is_one_taken_as_an_earlier_key_whose_holder_can_sign_too(read_settings, name):
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FALLBACKS cannot be used"):
        read_settings(**SERVER, SECRET_KEY_FALLBACKS=f"{KEY[::-1]},{BAD_KEYS[name]}")


@pytest.mark.parametrize("key", [KEY, KEY[:32], "0123456789abcdef" * 2], ids=["long", "32", "hexadecimal"])
def test_a_good_key_is_taken(read_settings, key):
    assert read_settings(**SERVER | {"SECRET_KEY": key})["SECRET_KEY"] == key


# The key of a machine that was given none.


def make_key(folder, **environment):
    code = "import sys; from notifier.deploy.keys import machine_key as key; print(key(sys.argv[1]))"
    done = subprocess.Popen(
        [sys.executable, "-c", code, str(folder / "new" / "secret-key")],
        env={**os.environ, "ALLOWED_HOSTS": "", **environment}, cwd=project.BASE_DIR, text=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    return done


def test_each_machine_makes_a_key_of_its_own_and_keeps_it_for_its_owner(tmp_path):
    # Together, as the workers of a server start.
    running = [make_key(tmp_path) for _ in range(4)]
    keys = {each.communicate()[0].strip() for each in running}
    assert len(keys) == 1
    assert keys != {make_key(tmp_path / "another").communicate()[0].strip()}
    file = tmp_path / "new" / "secret-key"
    assert len(keys.pop()) >= 50
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    "environment",
    [{"ALLOWED_HOSTS": "shop.example.com"}, {"AWS_LAMBDA_FUNCTION_NAME": "shop"}],
    ids=["a server", "Lambda"],
)
def test_elsewhere_none_is_made(tmp_path, environment):
    assert make_key(tmp_path, **environment).communicate()[0].strip() == "Ellipsis"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["project.asgi", "project.wsgi"])
def test_a_server_without_a_key_does_not_start_and_says_why(name):
    variables = {each: value for each, value in os.environ.items() if not each.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-c", f"import {name}"],
        env=variables | {"ALLOWED_HOSTS": "shop.example.com", "DJANGO_SETTINGS_MODULE": "project.settings"},
        cwd=project.BASE_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "SECRET_KEY is missing" in done.stderr.splitlines()[-1]
