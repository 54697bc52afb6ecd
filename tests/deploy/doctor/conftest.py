"""A shop that is deployed to a region of its own, with nothing wrong; each test makes one thing wrong."""

import json
from contextlib import suppress
from io import BytesIO
from types import SimpleNamespace
from zipfile import ZipFile

import boto3
import pytest
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from notifier.channels.registry import channel_names
from notifier.deploy.doctor.checks import checks_for, examine
from notifier.deploy.doctor.context import Context
from notifier.deploy.stack import Stack, apply
from notifier.deploy.stack.stages import read_deployment
from notifier.local.chat import ROOMS
from notifier.local.cloud import X_KEYS
from tests.deploy.doctor.edge import Edge

REGION = "eu-west-1"
SERVICES = ("cloudwatch", "events", "lambda", "logs", "ses", "sesv2", "sns", "sqs", "ssm")
DOMAIN = "shop.example"
ALERT_EMAIL = f"ops@{DOMAIN}"
CHANNELS = tuple(channel_names())


def settings_of_the_shop():
    web = {
        "app_function": "project.wsgi.application",
        "django_settings": "project.settings",
        "project_name": "shop",
        "runtime": "python3.11",
        "keep_warm": False,
        "debug": False,
        "log_level": "INFO",
        "timeout_seconds": 30,
        "aws_environment_variables": {
            "SECRETS": "SECRET_KEY,DATABASE_URL",
            "DEFAULT_FROM_EMAIL": f"Shop <news@{DOMAIN}>",
            "LOG_LEVEL": "INFO",
            "ALERT_EMAIL": ALERT_EMAIL,
        },
    }
    stages = {"production": web}
    for module in ("fanout", "sweep", *CHANNELS):
        stages[f"production_{module}"] = {
            "extends": "production",
            "lambda_handler": f"lambdas.{module}.handler",
            "timeout_seconds": 60,
        }
    secrets = ",".join(["SECRET_KEY", "DATABASE_URL", *X_KEYS])
    stages["production_twitter"]["aws_environment_variables"] = {
        **web["aws_environment_variables"],
        "SECRETS": secrets,
    }
    application = f"arn:aws:sns:{REGION}:{DEFAULT_ACCOUNT_ID}:app/APNS/shop"
    stages["production_push"]["aws_environment_variables"] = {
        **web["aws_environment_variables"],
        "PUSH_APPLICATIONS": application,
    }
    return stages


def _make_application():
    """The ARN of what sends to the shop's iPhones."""
    found = boto3.client("sns", region_name=REGION).create_platform_application(
        Name="shop", Platform="APNS", Attributes={}
    )
    return found["PlatformApplicationArn"]


@pytest.fixture
def edge(session_cloud, monkeypatch):
    """AWS, in a region that no other test uses and in which there is nothing yet."""
    for service in SERVICES:
        get_backend(service)[DEFAULT_ACCOUNT_ID][REGION].reset()
    with Edge(region=REGION) as edge:
        monkeypatch.setenv("AWS_ENDPOINT_URL", edge.url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        edge.application = _make_application()
        monkeypatch.setenv("PUSH_APPLICATIONS", edge.application)
        yield edge


@pytest.fixture
def settings_file(tmp_path):
    """The shop's settings file; ``settings_file.edit(stage, key=value)`` changes it, None takes a key
    away.
    """
    path = tmp_path / "zappa_settings.json"

    def edit(stage, **keys):
        stages = json.loads(path.read_text()) if path.exists() else settings_of_the_shop()
        stages.setdefault(stage, {}).update(keys)
        stages[stage] = {key: value for key, value in stages[stage].items() if value is not None}
        path.write_text(json.dumps({name: config for name, config in stages.items() if config}))

    edit("production")
    return SimpleNamespace(path=path, edit=edit)


@pytest.fixture
def shop(account):
    """The deployed shop: all its functions and the stack around them."""
    stack = Stack.of(account)
    applied = apply(stack)
    for function in account.functions[1:]:
        deploy(function, applied.role_arns[function.name])
    apply(stack)
    return account


@pytest.fixture
def account(edge, settings_file):
    """What is there besides: the website, the secrets, a sender that is verified and leave to spend on
    SMS.
    """
    deployment = read_deployment("production", settings_file=settings_file.path)
    deploy(deployment.web, a_role())
    for name in ("SECRET_KEY", "DATABASE_URL", *X_KEYS):
        put_secret(f"/{deployment.stack_name}/{name}", X_KEYS.get(name, f"the-value-of-{name}"))
    put_secret(f"/{deployment.stack_name}/CHAT_ROOMS", json.dumps(ROOMS))
    boto3.client("sesv2").create_email_identity(EmailIdentity=DOMAIN)
    verify(DOMAIN)
    boto3.client("sns").set_sms_attributes(attributes={"MonthlySpendLimit": "50"})
    return deployment


@pytest.fixture
def visit(settings_file):
    """``visit(about, stage=…)`` is the findings of the checks of that name; without a name the Report of
    all.
    """

    def visit(about=None, stage="production"):
        context = Context(stage, settings_file=settings_file.path)
        if about is None:
            return examine(context)
        chosen = [check for check in checks_for(context) if check.about == about]
        assert chosen, f"no check is called {about}"
        return [finding for check in chosen for finding in check.run()]

    return visit


def a_role():
    iam = boto3.client("iam")
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="website-of-the-shop", AssumeRolePolicyDocument="{}")
    return iam.get_role(RoleName="website-of-the-shop")["Role"]["Arn"]


def deploy(function, role_arn):
    """What `zappa deploy` does, as far as the doctor looks at it."""
    package = BytesIO()
    with ZipFile(package, "w") as zipped:
        zipped.writestr("handler.py", "")
    boto3.client("lambda").create_function(
        FunctionName=function.name,
        Runtime="python3.11",
        Role=role_arn,
        Handler="handler.lambda_handler",
        Code={"ZipFile": package.getvalue()},
        Timeout=function.config["timeout_seconds"],
        Environment={"Variables": function.environment},
    )


def put_secret(path, value):
    boto3.client("ssm").put_parameter(Type="SecureString", Name=path, Value=value, Overwrite=True)


def verify(name, *, dkim="SUCCESS"):
    """What the owner of a domain does by its DNS, or of an address by a click: moto has no call for
    either.
    """
    identity = ses_backends[DEFAULT_ACCOUNT_ID][REGION].email_identities[name]
    identity.verified_for_sending_status = True
    identity.dkim_attributes |= {"SigningEnabled": True, "Status": dkim}


def only(findings):
    (finding,) = findings
    return finding
