"""The settings file is read as Zappa reads it, and a deployment is the stages that belong together."""

import json

import pytest

from notifier.deploy.stack import Stack
from notifier.deploy.stack.stages import read_deployment
from notifier.exceptions import ConfigurationError
from tests.deploy.stack.conftest import SENDER, make_settings


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "zappa_settings.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


@pytest.mark.parametrize("stage", ["production", "production_sms", "production_fanout"])
def test_every_stage_leads_to_its_deployment(write, stage):
    deployment = read_deployment(
        stage, settings_file=write(make_settings("shop") | make_settings("shop", "staging"))
    )

    assert (deployment.name, deployment.stack_name) == ("production", "shop-production")
    assert [(each.stage, each.name, each.module) for each in deployment.functions] == [
        ("production", "shop-production", "web"),
        ("production_fanout", "shop-production-fanout", "fanout"),
        ("production_sweep", "shop-production-sweep", "sweep"),
        ("production_email", "shop-production-email", "email"),
        ("production_sms", "shop-production-sms", "sms"),
    ]
    assert deployment.function("production_sms").secrets == ("SECRET_KEY", "DATABASE_URL")
    assert deployment.function_folders == {"lambdas"}


def test_an_environment_may_be_named_like_another_with_something_after_it(write):
    path = write(make_settings("shop") | make_settings("shop", "production_eu", channels=("sms",)))

    assert len(read_deployment("production", settings_file=path).functions) == 5
    assert [each.stage for each in read_deployment("production_eu_sms", settings_file=path).functions] == [
        "production_eu",
        "production_eu_fanout",
        "production_eu_sweep",
        "production_eu_sms",
    ]


def test_a_stage_extends_at_any_depth_and_its_own_keys_win(write):
    settings = make_settings("shop") | {"staging": {"extends": "production", "timeout_seconds": 10}}
    settings["staging_email"] = {
        "extends": "production_email",
        "aws_environment_variables": {"SECRETS": "ONE"},
    }

    deployment = read_deployment("staging", settings_file=write(settings))

    assert [each.name for each in deployment.functions] == ["shop-staging", "shop-staging-email"]
    assert deployment.web.config["timeout_seconds"] == 10
    assert deployment.function("staging_email").config["timeout_seconds"] == 60
    assert deployment.function("staging_email").environment["SECRETS"] == "ONE"
    assert deployment.function("staging_email").environment["DEFAULT_FROM_EMAIL"] == f"The shop <{SENDER}>"


@pytest.mark.parametrize(
    ("content", "stage", "said"),
    [
        (make_settings("shop"), "productoin", "no stage productoin. It has: production, production_fanout"),
        ({"a": {"extends": "b"}, "b": {"extends": "a"}}, "a", "extends it"),
        ({"a": {"extends": "b"}}, "a", "extends b, which is not there"),
        ({"sms": {"lambda_handler": "lambdas.sms.handler"}}, "sms", "No web stage belongs to sms"),
        ("{", "production", "is not valid JSON"),
    ],
)
def test_what_is_wrong_with_the_file_is_said_in_a_sentence(write, content, stage, said):
    with pytest.raises(ConfigurationError, match=said):
        read_deployment(stage, settings_file=write(content))


def test_a_file_that_is_not_there_is_asked_for(tmp_path):
    with pytest.raises(ConfigurationError, match="Run this in the project's folder"):
        read_deployment("production", settings_file=tmp_path / "zappa_settings.json")


def test_a_sender_that_no_mail_can_have_is_refused_before_anything_is_made(write):
    def stack_from(sender):
        settings = {"production": {"aws_environment_variables": {"DEFAULT_FROM_EMAIL": sender}}}
        return Stack.of(read_deployment("production", settings_file=write(settings)))

    assert stack_from("").sender == ""
    assert stack_from('"Shop, Inc." <a@münchen.example>').sender == "a@xn--mnchen-3ya.example"
    with pytest.raises(
        ConfigurationError, match='DEFAULT_FROM_EMAIL cannot be used: .* "Shop, Inc." <a@b.ex'
    ):
        stack_from("Shop, Inc. <a@b.example>")
