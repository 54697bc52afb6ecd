"""Deployments of a test's own, in the local cloud."""

import io
import json
import zipfile
from functools import cache
from itertools import count

import boto3
import pytest

from notifier.deploy import stack as product
from notifier.deploy.stack import Stack
from notifier.deploy.stack.account import Account
from notifier.deploy.stack.stages import read_deployment

SENDER = "shop@example.org"
_numbers = count(1)


@cache
def shared_session():
    """Reading what boto3 knows about a dozen services takes longer than asking them all."""
    return boto3.session.Session()


def plan(stack, session=None):
    return product.plan(stack, session or shared_session())


def apply(stack, session=None):
    return product.apply(stack, session or shared_session())


def destroy(stack, session=None, **options):
    return product.destroy(stack, session or shared_session(), **options)


def account_of(stack):
    return Account(stack, shared_session())


def make_settings(project, environment="production", channels=("email", "sms"), **web):
    """What a ``zappa_settings.json`` holds for one environment."""
    modules = ("fanout", "sweep", *channels)
    variables = {"SECRETS": "SECRET_KEY,DATABASE_URL", "DEFAULT_FROM_EMAIL": f"The shop <{SENDER}>"}
    return {
        environment: {
            "project_name": project,
            "app_function": "project.wsgi.application",
            "timeout_seconds": 30,
            "aws_environment_variables": variables,
            **web,
        },
        **{
            f"{environment}_{module}": {
                "extends": environment,
                "lambda_handler": f"lambdas.{module}.handler",
                "function_url_enabled": False,
                "timeout_seconds": 60,
            }
            for module in modules
        },
    }


def deploy(stack, applied, *, only=None):
    """Make the functions, as Zappa would between the first and the second ``apply``."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.writestr("handler.py", "def handler(event, context): return None\n")
    for function in stack.functions:
        if only is None or function.module in only:
            shared_session().client("lambda").create_function(
                FunctionName=function.name,
                Role=applied.role_arns[function.name],
                Runtime="python3.11",
                Handler="handler.handler",
                Code={"ZipFile": code.getvalue()},
            )


def undeploy(stack):
    for function in stack.functions:
        boto3.client("lambda").delete_function(FunctionName=function.name)


@pytest.fixture(scope="module")
def make_stack(session_cloud, tmp_path_factory):
    """``make_stack(**what make_settings takes)`` → a Stack read from a settings file; of its own name unless
    ``project`` is given.
    """

    def make(project=None, *, stage=None, settings=None, **described):
        settings = settings or make_settings(project or f"shop{next(_numbers)}", **described)
        path = tmp_path_factory.mktemp("stages") / f"settings{next(_numbers)}.json"
        path.write_text(json.dumps(settings))
        return Stack.of(read_deployment(stage or next(iter(settings)), settings_file=path))

    return make


@pytest.fixture
def stack(make_stack):
    return make_stack()


@pytest.fixture
def deployed(stack):
    """``stack``, with its functions there and connected."""
    deploy(stack, apply(stack))
    apply(stack)
    return stack


@pytest.fixture(scope="module")
def long_lived(make_stack):
    """One for all tests that put back what they take; its website is public."""
    stack = make_stack(function_url_enabled=True)
    deploy(stack, apply(stack))
    apply(stack)
    return stack


@pytest.fixture
def recorded():
    """``(session, writes)``: a boto3 session, and the names of what was asked through it that is more than a
    question.
    """
    session, writes = boto3.session.Session(), []

    def note(model, **_):
        if not model.name.startswith(("Get", "List", "Describe", "Head")):
            writes.append(model.name)

    session.events.register("before-call.*.*", note)
    return session, writes
