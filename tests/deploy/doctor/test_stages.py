"""The settings file: channels, handlers, switches and secrets."""

import boto3
import pytest

from notifier.channels.registry import channel_names
from notifier.deploy.doctor.findings import Severity
from notifier.deploy.doctor.leaks import kind_of_secret
from tests.deploy.doctor.conftest import only, put_secret

CHANNELS, HANDLERS, SWITCHES, LEAKS, STORED = (
    "channels",
    "handlers",
    "switches",
    "secrets in the settings file",
    "secrets in SSM",
)


@pytest.mark.parametrize("stage", ["", "production"])
def test_a_channel_without_a_stage_is_a_warning_until_it_has_one(edge, visit, settings_file, stage):
    settings_file.edit("production_sms", extends=None, lambda_handler=None, timeout_seconds=None)

    finding = only(visit(CHANNELS, stage=stage))
    assert finding.severity is Severity.WARNING
    assert "The channel sms has no function in production" in finding.what
    assert 'Add the stage "production_sms" with "lambda_handler": "lambdas.sms.handler"' in finding.remedy
    assert finding.remedy.endswith("zappa deploy production_sms")

    settings_file.edit("production_sms", extends="production", lambda_handler="lambdas.sms.handler")
    assert visit(CHANNELS, stage=stage) == []


def test_a_stage_counts_by_its_handler_not_by_its_name(edge, visit, settings_file):
    settings_file.edit("production_sms", lambda_handler="lambdas.email.handler")
    assert "The channel sms has no function" in only(visit(CHANNELS)).what


def test_another_deployment_is_looked_at_only_when_it_is_asked_for(edge, visit, settings_file):
    settings_file.edit("staging", extends="production")

    assert visit(CHANNELS) == []
    assert {finding.what.split(" in ")[1][:7] for finding in visit(CHANNELS, stage="staging")} == {"staging"}
    assert len(visit(CHANNELS, stage="")) == len(channel_names())


@pytest.mark.parametrize(
    ("handler", "what"),
    [
        ("lambdas.fax.handler", "there is no such module"),
        ("lambdas.sms.handle", "lambdas.sms has no such function"),
        ("handler", "there is no such module"),
    ],
)
def test_a_handler_that_does_not_exist_is_an_error_until_it_is_corrected(
    edge, visit, settings_file, handler, what
):
    settings_file.edit("production_sms", lambda_handler=handler)

    finding = only(visit(HANDLERS))
    assert finding.severity is Severity.ERROR
    assert what in finding.what
    assert finding.remedy.endswith("zappa update production_sms")

    settings_file.edit("production_sms", lambda_handler="lambdas.sms.handler")
    assert visit(HANDLERS) == []


@pytest.mark.parametrize(
    ("key", "wrong", "remedy"),
    [
        ("debug", True, '"debug": false'),
        ("keep_warm", True, '"keep_warm": false'),
        ("log_level", "DEBUG", '"log_level": "INFO"'),
        ("debug", None, '"debug": false'),  # which is on for Zappa
        ("keep_warm", None, '"keep_warm": false'),
        ("log_level", None, '"log_level": "INFO"'),
    ],
)
def test_what_zappa_switches_on_is_a_warning_until_it_is_off(edge, visit, settings_file, key, wrong, remedy):
    settings_file.edit("production", **{key: wrong})

    finding = only(visit(SWITCHES))
    assert finding.severity is Severity.WARNING
    assert "production, production_fanout" in finding.what
    assert ("default" in finding.what) is (wrong is None)
    assert f"Set {remedy}" in finding.remedy

    settings_file.edit("production", **{key: "INFO" if key == "log_level" else False})
    assert visit(SWITCHES) == []


@pytest.mark.parametrize("stage", ["", "production"])
def test_a_secret_in_the_settings_file_is_an_error_until_it_is_taken_out(edge, visit, settings_file, stage):
    settings_file.edit("production_email", environment_variables={"SECRET_KEY": "u2!hunter-and-more"})

    finding = only(visit(LEAKS, stage=stage))
    assert finding.severity is Severity.ERROR
    assert "production_email.environment_variables.SECRET_KEY" in finding.what
    assert (
        "aws ssm put-parameter --type SecureString --overwrite --name /shop-production/SECRET_KEY"
        in finding.remedy
    )
    assert "hunter" not in f"{finding}"

    settings_file.edit("production_email", environment_variables=None)
    assert visit(LEAKS, stage=stage) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("aws_id", "AKIAIOSFODNN7EXAMPLE"),
        ("note", "use ASIAIOSFODNN7EXAMPLE"),
        ("URL", "postgres://shop:pw@db/shop"),
        ("URL", "amqps://:pw-only@queue.internal"),
        ("PEM", "-----BEGIN RSA PRIVATE KEY-----\nMII"),
        ("SECRET_KEY", "not-a-very-random-one"),
        ("DJANGO_SECRET_KEY", "12345678"),
        ("db_password", "correct horse"),
        ("SLACK_TOKEN", "xoxb-123456"),
        ("X_ACCESS_TOKEN", "1-abcdefgh"),
        ("STRIPE_KEY", "sk_live_abcdefgh"),
        ("anything", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),  # random, of forty characters
    ],
)
def test_what_looks_like_a_secret_is_one(name, value):
    assert kind_of_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRETS", "SECRET_KEY,DATABASE_URL"),  # names
        ("SECRETS_PATH", "/notifier-production"),
        ("SECRET_KEY", "/shop/SECRET_KEY"),  # where it is
        ("certificate_key", "arn:aws:acm:us-east-1:123456789012:certificate/abc"),
        ("DATABASE_URL", "postgres://db.internal/shop"),  # no password
        ("role_name", "shop-production-email-ZappaLambdaExecutionRole"),
        ("lambda_handler", "lambdas.email.handler"),
        ("NOTIFIER_TOPIC_ARN", "arn:aws:sns:eu-west-1:123456789012:shop-production"),
        ("DEFAULT_FROM_EMAIL", "Shop <news@shop.example>"),
        ("keep_warm_expression", "rate(4 minutes)"),
    ],
)
def test_what_is_no_secret_is_not_taken_for_one(name, value):
    assert kind_of_secret(name, value) == ""


def test_a_secret_that_is_not_stored_is_an_error_until_it_is(account, visit):
    boto3.client("ssm").delete_parameter(Name="/shop-production/DATABASE_URL")

    finding = only(visit(STORED))
    assert finding.severity is Severity.ERROR
    assert "/shop-production/DATABASE_URL is not in SSM" in finding.what
    assert finding.what.endswith("shop-production-webhook.")
    assert finding.remedy.startswith(
        "aws ssm put-parameter --type SecureString --overwrite --name /shop-production/DATABASE_URL --value"
    )

    put_secret("/shop-production/DATABASE_URL", "postgres://somewhere")
    assert visit(STORED) == []


def test_a_secret_that_is_stored_in_plain_text_is_a_warning_until_it_is_encrypted(account, visit):
    boto3.client("ssm").delete_parameter(Name="/shop-production/SECRET_KEY")
    boto3.client("ssm").put_parameter(
        Type="String", Name="/shop-production/SECRET_KEY", Value="for-all-to-see"
    )

    finding = only(visit(STORED))
    assert finding.severity is Severity.WARNING
    assert finding.remedy.startswith(
        "aws ssm delete-parameter --name /shop-production/SECRET_KEY && aws ssm put-parameter"
    )
    assert "for-all" not in f"{finding}"

    boto3.client("ssm").delete_parameter(Name="/shop-production/SECRET_KEY")
    put_secret("/shop-production/SECRET_KEY", "for-few")
    assert visit(STORED) == []


def test_a_key_that_was_replaced_is_a_warning_until_the_website_knows_the_old_one(
    account, visit, settings_file
):
    put_secret("/shop-production/SECRET_KEY", "a-new-one")
    finding = only(visit(STORED))
    assert finding.severity is Severity.WARNING
    assert "/shop-production/SECRET_KEY was changed on " in finding.what
    assert "--name /shop-production/SECRET_KEY_FALLBACKS" in finding.remedy
    assert "a-new-one" not in f"{finding}"

    settings_file.edit(
        "production",
        aws_environment_variables={"SECRETS": "SECRET_KEY,SECRET_KEY_FALLBACKS,DATABASE_URL"},
    )
    assert "SECRET_KEY_FALLBACKS is not in SSM" in only(visit(STORED)).what
    put_secret("/shop-production/SECRET_KEY_FALLBACKS", "the-old-one")
    assert visit(STORED) == []
