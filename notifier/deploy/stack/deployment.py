"""The steps around Zappa's own: before packaging, the resources and the package; after it, everything that
needs the function.

Calls ``stack.apply``, ``package``, ``packing`` and ``after``.
"""

import os
import subprocess
import sys
import warnings
from contextlib import contextmanager
from functools import partial

import click
from botocore.exceptions import BotoCoreError, ClientError

from notifier.deploy.quotas import more_concurrency
from notifier.exceptions import ConfigurationError

from . import Stack, after, apply, package, patience, slimming
from .account import Account, sentence
from .packing import build_finished, build_once
from .resources.concurrency import advice_on
from .stages import read_deployment

# Commands that change what is deployed, and those that need a package.
DEPLOYING = {"deploy", "update"}
PACKAGING = {*DEPLOYING, "package"}
# AWS's words where too little would be left for all other functions.
NO_ROOM = "UnreservedConcurrentExecution"


@contextmanager
def plainly():
    """Errors that a person can do something about, as one sentence and without a traceback."""
    try:
        yield
    except (ConfigurationError, BotoCoreError, ClientError) as error:
        raise click.ClickException(sentence(error)) from None


def prepare(cli):
    """Zappa's ``settings`` callback: runs before every command, with the stage's settings loaded.

    ``cli`` is the ZappaCLI.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", cli.django_settings or "")
    with plainly():
        if cli.command in PACKAGING:
            _prepare_package(cli)
        if cli.command in DEPLOYING:
            _prepare_account(cli)
            _go_on(cli)


def _prepare_package(cli):
    deployment = read_deployment(cli.api_stage)
    environment = package.build_environment(
        runtime=cli.runtime, architecture=cli.architecture, module=_module_of(cli)
    )
    os.environ["VIRTUAL_ENV"] = str(environment)
    # Zappa imports pip next, whose setuptools prints two lines about who was first.
    warnings.filterwarnings("ignore", module="_distutils_hack")
    names, globs = package.left_out(deployment.function_folders)
    globs += slimming.unneeded_by(deployment.function(cli.api_stage), deployment.functions)
    if _is_web(cli):
        _collect_static_files()
    else:
        globs.append("staticfiles")
    cli.override_stage_config_setting("exclude", [*cli.stage_config.get("exclude", []), *names])
    cli.override_stage_config_setting("exclude_glob", [*cli.stage_config.get("exclude_glob", []), *globs])
    # The environment's wheels are for Lambda already.
    cli.override_stage_config_setting("use_precompiled_packages", False)
    build = partial(
        build_finished,
        cli.zappa.create_lambda_zip,
        environment=environment,
        python=package.compiler_for(cli.runtime),
    )
    # A stage's own script may change any file before it is packed.
    cli.zappa.create_lambda_zip = build if cli.prebuild_script else partial(build_once, build)


def _module_of(cli):
    """The file behind the stage's handler, such as ``chat``; empty for the web function."""
    return cli.stage_config.get("lambda_handler", "").rpartition(".")[0].rpartition(".")[2]


def _is_web(cli):
    return "lambda_handler" not in cli.stage_config


def _collect_static_files():
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--clear", "-v", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigurationError(f"manage.py collectstatic failed:\n{done.stderr.strip()}")


def measure(cli):
    """Zappa's ``zip`` callback: the package is there; say how large it is, and refuse what Lambda would."""
    packed, unpacked = package.sizes(cli.zip_path)
    click.echo(f"  package: {packed / 1e6:.1f} MB zipped, {unpacked / 1e6:.1f} MB unpacked")
    if unpacked > package.MAX_UNPACKED_BYTES:
        raise click.ClickException(
            f"Lambda takes {package.MAX_UNPACKED_BYTES / 1e6:.0f} MB unpacked. Remove what is "
            "not needed from requirements*.txt, "
            "or from the project by exclude_glob in zappa_settings.json."
        )


def _prepare_account(cli):
    deployment = read_deployment(cli.api_stage)
    stack = Stack.of(deployment, region=cli.zappa.aws_region)
    Account(stack, cli.zappa.boto_session).ask_only_ours(cli.zappa.s3_client)
    applied = apply(stack, cli.zappa.boto_session)
    _tell(applied.changes)
    after.note(applied.changes)
    cli.s3_bucket_name = applied.bucket
    cli.zappa.credentials_arn = applied.role_arns[cli.lambda_name]
    cli.aws_environment_variables = {
        "DJANGO_SETTINGS_MODULE": cli.django_settings,
        "NOTIFIER_TOPIC_ARN": applied.topic_arn,
        "SES_CONFIGURATION_SET": applied.configuration_set,
        **({"SMS_CONFIGURATION_SET": stack.name} if stack.texts else {}),
        "STAGE": deployment.name,
        "SECRETS_PATH": f"/{deployment.stack_name}",
        "POWERTOOLS_SERVICE_NAME": deployment.stack_name,
        # Else Zappa imports the project at the first request, and keeps a container in which that failed.
        **({"INSTANTIATE_LAMBDA_HANDLER_ON_IMPORT": "1"} if _is_web(cli) else {}),
        **deployment.function(cli.api_stage).environment,
    }
    _correct_requests(cli)


def _correct_requests(cli):
    """Put right what Zappa asks of Lambda: who may call, no variable that is gone from the settings, the
    architecture.
    """
    wanted = dict(cli.aws_environment_variables)

    def register(operation, change):
        cli.zappa.lambda_client.meta.events.register(f"before-parameter-build.lambda.{operation}", change)

    register("AddPermission", _only_through_the_url)
    # Zappa keeps what it finds there: a secret that was moved to SSM would stay, and win.
    register(
        "UpdateFunctionConfiguration", lambda params, **_: params.update(Environment={"Variables": wanted})
    )
    register("UpdateFunctionCode", lambda params, **_: params.update(Architectures=[cli.architecture]))
    client = cli.zappa.lambda_client
    client.put_function_concurrency = _capped_where_there_is_room(client)
    for name in ("create_function", "update_function_configuration"):
        setattr(client, name, _once_it_has_its_role(getattr(client, name)))


def _once_it_has_its_role(call):
    """``call`` of Lambda's client, asked again while IAM has not spread the function's role: Zappa asks
    once.
    """
    return partial(patience.patiently, call, early=patience.lacks_its_role)


def _capped_where_there_is_room(client):
    """``put_function_concurrency``, which in a new account says in words that there is nothing to reserve,
    and goes on: there the account's own limit is lower than the cap.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """
    put = client.put_function_concurrency

    def put_or_say(**parameters):
        try:
            return put(**parameters)
        except client.exceptions.InvalidParameterValueException as error:
            if NO_ROOM not in str(error):
                raise
        click.secho(
            f"  The website's cap ({parameters['ReservedConcurrentExecutions']} requests at a time) is not "
            "set: the account allows too few functions at a time to reserve any, so a flood of requests "
            f"could stop the channels. Ask for more, then run zappa update again: "
            f"{more_concurrency(client.meta.region_name)}",
            fg="yellow",
        )
        return {}

    return put_or_say


def _go_on(cli):
    """With ``--all``, deploy what is missing and update what is there, whichever of the two was asked for.

    Zappa stops at the first stage that it finds otherwise, so a deploy that failed half-way could not be
    repeated.
    """
    if not cli.vargs.get("all"):
        return
    # Of the class: those of the instance are what the stage before has put there.
    deploy, update = (partial(method, cli) for method in (type(cli).deploy, type(cli).update))
    if cli.zappa.get_lambda_function_versions(cli.lambda_name):
        cli.deploy, cli.update = lambda archive, image: update(archive, False, image), update
    else:
        cli.deploy, cli.update = deploy, lambda archive, no_upload, image: deploy(archive, image)


def _only_through_the_url(params, **_event):
    """Zappa lets everybody invoke the web function, and its handler runs any Python that an invocation names
    as ``raw_command``.

    A function URL needs that permission only for calls through itself:
    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    """
    if params.get("Principal") == "*" and params["Action"] == "lambda:InvokeFunction":
        params["InvokedViaFunctionUrl"] = True


def finish(cli):
    """Zappa's ``post`` callback: the function is there; connect it, bring the database up to date, and see
    that a message arrives.
    """
    with plainly():
        deployment = read_deployment(cli.api_stage)
        stack = Stack.of(deployment, region=cli.zappa.aws_region)
        # Until then it answers with what was there before.
        cli.zappa.lambda_client.get_waiter("function_updated_v2").wait(FunctionName=cli.lambda_name)
        _tell(changes := apply(stack, cli.zappa.boto_session).changes)
        after.note(changes)
        if after.is_last(cli) and (text := advice_on(Account(stack, cli.zappa.boto_session))):
            click.secho(f"  {text}", fg="yellow")
        after.check(cli, deployment, stack)


def _tell(changes):
    for change in changes:
        # What waits for another function is no news at each stage.
        if change.action != "wait":
            click.echo(f"  {change}")
