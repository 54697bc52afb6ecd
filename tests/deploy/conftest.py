"""The project's settings as a function has them, in this process."""

import os
import sys
from importlib import import_module

import pytest

FUNCTION = {
    "AWS_LAMBDA_FUNCTION_NAME": "notifier-production",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
    "DATABASE_URL": "postgres://notifier:DB-PASSWORD@db.internal:5432/notifier",
    "DJANGO_SETTINGS_MODULE": "project.settings",
    "DEFAULT_FROM_EMAIL": "Shop <shop@example.com>",
    "NOTIFIER_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:notifier-production",
    "POWERTOOLS_SERVICE_NAME": "notifier-production",
    "SECRET_KEY": "a-long-key-of-many-different-characters-0123456789-abcdefg",
}
# What a developer's own shell must not add to it.
OURS = {
    *FUNCTION,
    *("ALLOWED_HOSTS", "DEBUG", "LOG_LEVEL", "SECRETS", "SECRETS_PATH", "SECRET_KEY_FALLBACKS"),
    *("BASE_URL", "DELIVER_ONLY_TO", "STAGE"),
}
MODULES = (
    *("notifier.deploy.place", "notifier.deploy.keys", "notifier.deploy.environment"),
    "project.settings",
)


@pytest.fixture
def read_settings(monkeypatch):
    """``read_settings(NAME=value)``: the settings' names and values for exactly this environment.

    ``None`` takes a variable away.
    """

    def read(**environment):
        with monkeypatch.context() as patch:
            for name in OURS - environment.keys():
                patch.delenv(name, raising=False)
            for name, value in environment.items():
                patch.setenv(name, value) if value is not None else patch.delenv(name, raising=False)
            before = {name: sys.modules.pop(name, None) for name in MODULES}
            try:
                return {
                    name: value
                    for name, value in vars(import_module("project.settings")).items()
                    if name.isupper()
                }
            finally:
                sys.modules.update({name: module for name, module in before.items() if module})

    return read


@pytest.fixture
def on_lambda(read_settings):
    """``on_lambda(NAME=value)``: the settings of a function with that in its environment, beside what each
    has.
    """
    return lambda **environment: read_settings(**(FUNCTION | environment))


@pytest.fixture(autouse=True)
def _same_environment_afterwards():
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
