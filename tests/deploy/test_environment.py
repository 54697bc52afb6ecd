"""The configuration: what is missing is said at start, in one sentence, and a secret is read once and shown
nowhere.
"""

import os
import subprocess
import sys
import traceback

import boto3
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from notifier.deploy import environment
from tests.deploy.conftest import FUNCTION

PATH = "/notifier-production"


@pytest.fixture
def store(gate, monkeypatch):
    """``store(NAME=value)`` puts secrets into Parameter Store, as the deployment does."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", FUNCTION["AWS_REGION"])
    ssm, names = boto3.client("ssm", region_name=FUNCTION["AWS_REGION"]), []

    def put(**secrets):
        for name, value in secrets.items():
            ssm.put_parameter(Name=f"{PATH}/{name}", Value=value, Type="SecureString", Overwrite=True)
            names.append(f"{PATH}/{name}")

    yield put
    if names:
        ssm.delete_parameters(Names=names)


# Secrets.


def test_secrets_are_read_by_one_call_and_put_into_the_environment(store, gate):
    store(SECRET_KEY="from the store", DATABASE_URL="postgres://u:p@h/n", OTHER="not asked for")
    environ = {"SECRETS": "SECRET_KEY, DATABASE_URL", "SECRETS_PATH": PATH}
    environment.read_secrets(environ)
    assert environ["SECRET_KEY"] == "from the store"
    assert environ["DATABASE_URL"] == "postgres://u:p@h/n"
    assert "OTHER" not in environ
    assert gate.count("GetParameters") == 1


def test_a_secret_that_the_environment_has_is_not_asked_for(store, gate):
    store(SECRET_KEY="from the store")
    environ = {"SECRETS": "SECRET_KEY", "SECRETS_PATH": PATH, "SECRET_KEY": "from the environment"}
    environment.read_secrets(environ)
    assert (environ["SECRET_KEY"], gate.count("GetParameters")) == ("from the environment", 0)


@pytest.mark.parametrize("named", ["", " , "])
def test_without_named_secrets_aws_is_not_asked(gate, named):
    environment.read_secrets({"SECRETS": named, "SECRETS_PATH": PATH})
    assert gate.calls == []


def test_a_named_secret_that_is_not_there_is_named_in_the_log_and_the_others_are_read(store, caplog):
    store(SECRET_KEY="from the store")
    environ = {"SECRETS": "SECRET_KEY,X_CONSUMER_KEY", "SECRETS_PATH": PATH}
    environment.read_secrets(environ)
    assert environ["SECRET_KEY"] == "from the store"
    assert "X_CONSUMER_KEY" not in environ
    assert "Parameter Store has no /notifier-production/X_CONSUMER_KEY." in caplog.text
    assert "from the store" not in caplog.text


@pytest.mark.parametrize(
    ("outage", "reason"),
    [
        (
            {
                "status": 400,
                "body": '{"__type": "AccessDeniedException", "message": "User is not authorized"}',
            },
            "AccessDeniedException",
        ),
        (None, "ConnectionClosedError"),
    ],
)
def test_a_parameter_store_that_cannot_be_read_is_said_in_a_sentence_with_the_permission_that_it_takes(
    gate, outage, reason
):
    if outage:
        gate.answer("GetParameters", times=10, content_type="application/x-amz-json-1.1", **outage)
    else:
        gate.cut("GetParameters", times=10)
    with pytest.raises(ImproperlyConfigured) as caught:
        environment.read_secrets({"SECRETS": "SECRET_KEY,DATABASE_URL", "SECRETS_PATH": PATH})
    said = str(caught.value)
    assert "SECRET_KEY, DATABASE_URL could not be read" in said
    assert reason in said
    assert "ssm:GetParameters on /notifier-production/*" in said
    assert gate.count("GetParameters") <= environment.ATTEMPTS


def test_the_time_for_reading_secrets_fits_into_the_start_of_a_function():
    assert environment.ATTEMPTS * (environment.CONNECT_SECONDS + environment.READ_SECONDS) < 10


def test_a_function_starts_with_its_secrets_from_the_store(store, on_lambda):
    store(SECRET_KEY=FUNCTION["SECRET_KEY"], DATABASE_URL="postgres://u:p@from-the-store/n")
    found = on_lambda(
        SECRETS="SECRET_KEY,DATABASE_URL", SECRETS_PATH=PATH, SECRET_KEY=None, DATABASE_URL=None
    )
    assert found["SECRET_KEY"] == FUNCTION["SECRET_KEY"]
    assert found["DATABASES"]["default"]["HOST"] == "from-the-store"


@pytest.mark.parametrize("added", ["\n", "\r\n", " ", "\t\n", "\u00a0", "\u2028"])
def test_what_a_store_adds_at_a_secrets_ends_is_taken_away(store, on_lambda, added):
    environ = {"SECRETS": "SECRET_KEY,OF_THE_PROJECT", "SECRETS_PATH": PATH}
    store(SECRET_KEY=f"{FUNCTION['SECRET_KEY']}{added}", OF_THE_PROJECT=f"{added}abc def{added}")
    environment.read_secrets(environ)
    assert (environ["SECRET_KEY"], environ["OF_THE_PROJECT"]) == (FUNCTION["SECRET_KEY"], "abc def")
    # The same from the function's own environment.
    found = on_lambda(
        SECRET_KEY=environ["SECRET_KEY"] + added, DATABASE_URL=f"{added}postgres://u:p@h/n{added}"
    )
    assert found["SECRET_KEY"] == FUNCTION["SECRET_KEY"]
    assert found["DATABASES"]["default"]["NAME"] == "n"


OLD, OLDER = "the-old-key-of-many-different-characters", "an-even-older-one-0123456789-abcdefgh"
KEYS = [
    # what the variable holds, the keys that Django believes beside its own
    (None, []),
    ("", []),
    (OLD, [OLD]),
    (f"{OLD}\n", [OLD]),
    (f"{OLD}, {OLDER},", [OLD, OLDER]),
    (f"{OLD},\n{OLDER}\n", [OLD, OLDER]),
]


@pytest.mark.parametrize(("stored", "believed"), KEYS)
def test_keys_before_the_present_one_come_from_the_store_and_from_the_environment(
    store, on_lambda, read_settings, stored, believed
):
    assert read_settings(SECRET_KEY_FALLBACKS=stored)["SECRET_KEY_FALLBACKS"] == believed
    if stored:
        store(SECRET_KEY_FALLBACKS=stored)
        found = on_lambda(SECRETS="SECRET_KEY_FALLBACKS", SECRETS_PATH=PATH, SECRET_KEY_FALLBACKS=None)
        assert found["SECRET_KEY_FALLBACKS"] == believed


# What is missing or wrong.

WRONG = [
    # what the function's environment has instead → what is said
    ({"SECRET_KEY": None}, ["SECRET_KEY is missing"]),
    ({"SECRET_KEY": ""}, ["SECRET_KEY cannot be used (it is empty)"]),
    (
        {"DATABASE_URL": None, "LOG_LEVEL": "loud"},
        ["DATABASE_URL is missing", "LOG_LEVEL cannot be used (Not a valid log level)"],
    ),
    (
        {"DATABASE_URL": "postgres://u:GEHEIM#1@h/n"},
        ["DATABASE_URL cannot be used (it is no URL such as postgres://"],
    ),
    ({"DATABASE_URL": "postgres://u:GE[HEIM@h/n"}, ["DATABASE_URL cannot be used (it is no URL"]),
    ({"DATABASE_URL": "GEHEIM"}, ["DATABASE_URL cannot be used (it is no URL"]),
    ({"DATABASE_URL": "postgres://u:GEHEIM@h"}, ["DATABASE_URL cannot be used (it is no URL"]),
    ({"DATABASE_URL": "sqlite:////tmp/GEHEIM.sqlite3"}, ["DATABASE_URL cannot be used (it names SQLite"]),
    ({"SECRET_KEY": " \n"}, ["SECRET_KEY cannot be used (it is empty)"]),
    ({"DEFAULT_FROM_EMAIL": "Shop"}, ["DEFAULT_FROM_EMAIL cannot be used (it holds no mail address)"]),
    ({"DEFAULT_FROM_EMAIL": "Shop, Inc. <a@example.com>"}, ['write "Shop, Inc." <a@example.com>)']),
    (
        {"DEFAULT_FROM_EMAIL": None, "NOTIFIER_TOPIC_ARN": ""},
        ["DEFAULT_FROM_EMAIL is missing", "NOTIFIER_TOPIC_ARN cannot be used"],
    ),
    ({"ALLOWED_HOSTS": "shop.example.com,*"}, ["ALLOWED_HOSTS cannot be used (it allows every host"]),
]


@pytest.mark.parametrize(("instead", "said"), WRONG)
def test_what_is_missing_or_wrong_is_said_by_name_in_one_sentence_without_its_value(on_lambda, instead, said):
    with pytest.raises(ImproperlyConfigured) as caught:
        on_lambda(**instead)
    sentence = str(caught.value)
    assert [part for part in said if part not in sentence] == []
    assert "aws_environment_variables" in sentence
    assert sentence.startswith("The configuration is not complete: ")
    assert "\n" not in sentence
    shown = "".join(traceback.format_exception(caught.value))
    assert [value for value in ("GEHEIM", "DB-PASSWORD", FUNCTION["SECRET_KEY"]) if value in shown] == []
    assert (caught.value.__cause__, caught.value.__context__) == (None, None), (
        "a chained traceback says it twice"
    )


def test_a_missing_secret_is_answered_with_the_command_that_puts_it_there(on_lambda, gate):
    with pytest.raises(ImproperlyConfigured) as caught:
        on_lambda(SECRETS="SECRET_KEY", SECRETS_PATH=PATH, SECRET_KEY=None)
    assert "SECRET_KEY is missing → aws ssm put-parameter --type SecureString" in str(caught.value)
    assert "--name /notifier-production/SECRET_KEY " in str(caught.value)
    assert "aws_environment_variables" not in str(caught.value)


def test_a_function_without_its_configuration_does_not_start_and_the_last_line_says_why():
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-c", "import lambdas.sweep"],
        env=variables | FUNCTION | {"SECRET_KEY": "", "DATABASE_URL": "postgres://u:GEHEIM@h/n"},
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert (
        "ImproperlyConfigured: The configuration is not complete: SECRET_KEY cannot be used (it is empty)"
        in last
    )
    assert "GEHEIM" not in done.stderr
    assert done.stderr.count("Traceback") == 1


# What is set, where.


@pytest.mark.parametrize("debug", ["1", "true", "perhaps"])
def test_debug_is_off_on_lambda_whatever_is_set(on_lambda, debug):
    assert on_lambda(DEBUG=debug)["DEBUG"] is False


@pytest.mark.parametrize(("debug", "expected"), [(None, False), ("0", False), ("1", True)])
def test_elsewhere_debug_is_what_is_set(read_settings, debug, expected):
    assert read_settings(DEBUG=debug)["DEBUG"] is expected


def test_without_any_variable_it_runs_on_this_machine_and_asks_nobody(gate, read_settings):
    found = read_settings(SECRETS="SECRET_KEY", SECRETS_PATH=PATH)
    assert found["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"
    assert found["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1"]
    assert not found["SECURE_SSL_REDIRECT"]
    assert gate.calls == []


def test_no_connection_sleeps_with_its_container_and_elsewhere_one_is_kept(on_lambda, read_settings):
    assert on_lambda()["DATABASES"]["default"]["CONN_MAX_AGE"] == 0
    elsewhere = read_settings(DATABASE_URL="postgres://u:p@h/n")["DATABASES"]["default"]
    assert elsewhere["CONN_MAX_AGE"] == environment.CONNECTION_SECONDS


def test_a_channels_function_needs_nothing_of_the_web(on_lambda):
    assert on_lambda(ALLOWED_HOSTS="")["CSRF_TRUSTED_ORIGINS"] == []


def test_the_deployments_settings_pass_djangos_own_check_without_a_warning():
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env=os.environ | FUNCTION | {"ALLOWED_HOSTS": "notify.example.com", "STAGE": "production"},
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "no issues" in done.stdout
