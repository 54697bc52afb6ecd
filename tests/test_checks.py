"""What `manage.py check --deploy` says of a deployment that could send nothing."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from django.core.checks import run_checks

import notifier
from notifier.channels import registry
from tests.support.mailing import SES, mail_by

# Django's own checks ask which columns the database has.
pytestmark = pytest.mark.django_db

TOPIC = "arn:aws:sns:eu-central-1:123456789012:notifier-production"
MISSING = [
    # TOPIC_ARN, what mail goes by, what is said
    (TOPIC, SES, set()),
    ("", SES, {"notifier.E003"}),
    # Mail would leave by another way, or by none
    (TOPIC, "django.core.mail.backends.smtp.EmailBackend", {"notifier.W004"}),
    ("", "django.core.mail.backends.locmem.EmailBackend", {"notifier.E003", "notifier.W004"}),
]


@pytest.mark.parametrize(("topic_arn", "backend", "said"), MISSING)
def test_a_deployment_is_told_what_it_cannot_send_without(settings, topic_arn, backend, said):
    settings.NOTIFIER = settings.NOTIFIER | {"TOPIC_ARN": topic_arn}
    for name, value in mail_by(backend).items():
        setattr(settings, name, value)
    found = [
        each
        for each in run_checks(include_deployment_checks=True)
        if each.id in {"notifier.E003", "notifier.W004"}
    ]
    assert {each.id for each in found} == said
    assert all(each.hint for each in found)
    # On a developer's machine both are as they should be.
    assert not [each for each in run_checks() if each.id in {"notifier.E003", "notifier.W004"}]


@pytest.mark.parametrize(
    ("configured", "named"),
    [
        ({}, []),  # what it is by default, nobody has written
        ({"ADDRESSES": {"console": "username"}}, []),
        ({"ADDRESSES": {"console": "username", "email": "email", "pidgin": "email"}}, ["email", "pidgin"]),
    ],
)
def test_channels_that_do_not_exist_are_named_where_somebody_has_configured_them(
    monkeypatch, settings, configured, named
):
    # As in a project that has the console and no `lambdas/`.
    monkeypatch.setattr(registry, "_registered", {"console"})
    settings.NOTIFIER = {"CHANNELS_PACKAGE": "no_such_package"} | configured
    found = [problem.msg for problem in run_checks() if problem.id == "notifier.W002"]
    assert found == [
        f'NOTIFIER["ADDRESSES"] names the channel {name}, which does not exist.' for name in named
    ]


SITES = [
    # BASE_URL, what is said
    ("https://shop.example.com", set()),
    ("https://bücher.example/shop/", set()),
    ("http://localhost:8000", set()),
    ("", {"notifier.W020"}),
    ("shop.example.com", {"notifier.E020"}),
    ("/shop", {"notifier.E020"}),
    ("ftp://shop.example.com", {"notifier.E020"}),
    ("https://", {"notifier.E020"}),
    ("https://shop.example.com/?a=1", {"notifier.E020"}),
]


@pytest.mark.parametrize(("base", "said"), SITES)
def test_an_address_that_no_link_can_begin_with_is_said(settings, base, said):
    settings.NOTIFIER = settings.NOTIFIER | {"BASE_URL": base, "TOPIC_ARN": TOPIC}
    found = {each.id for each in run_checks(include_deployment_checks=True)}
    assert found & {"notifier.E020", "notifier.W020"} == said


def test_an_id_says_one_thing():
    """The ids of one module may repeat; two modules with one id would be silenced together."""
    found = defaultdict(set)
    for path in (Path(notifier.__file__).parent).rglob("*.py"):
        for each in re.findall(r'id="(notifier\.[EW]\d{3})"', path.read_text(encoding="utf-8")):
            found[each].add(path.name)
    assert {each: names for each, names in found.items() if len(names) > 1} == {}
    assert len(found) > 10
