"""Steps after a function is there: migrations, the first administrator, and a canary through every link.

Invokes ``deploy.operations`` in it.
"""

import json
import os

import click

from notifier.channels.registry import FUNCTIONS
from notifier.exceptions import ConfigurationError
from notifier.queue.ring import FANOUT

from . import patience
from .account import Account
from .links import find_loss
from .resources.mappings import Mappings
from .resources.schedule import SWEEP
from .resources.subscriptions import Subscriptions
from .stages import WEB

# What comes to a subscription that SNS does not follow yet is dropped, and comes no more: after so long
# another one is released.
CANARY_SECONDS, RELEASES = 60, 2
POLL_SECONDS = 1
# As Django's own `createsuperuser --noinput` reads them.
ADMINISTRATOR = {name: f"DJANGO_SUPERUSER_{name.upper()}" for name in ("username", "email", "password")}

_problems = []
# The queues whose subscriptions this process has made or changed.
_fresh = set()


def note(changes):
    """Remember what was applied, for the judgement of a canary that is lost."""
    for change in changes:
        kind, _, name = change.resource.rpartition(" ")
        if kind == Subscriptions.label and change.action in ("create", "change"):
            _fresh.add(name)


def check(cli, deployment, stack):
    """Do what the stage of ``cli`` needs now. Raises ConfigurationError for what does not work.

    With ``--all``, a canary that is lost does not keep Zappa from the stages that follow: the last one raises
    for all.
    """
    function, web = deployment.function(cli.api_stage), deployment.web
    there = _deployed(cli.zappa.lambda_client, deployment)
    if function == web:
        _migrate(cli, web)
    if function.module == SWEEP:
        _invoke(cli.zappa.lambda_client, function, {})
    elif web.name in there and f"{deployment.stack_name}-{FANOUT}" in there:
        channels = [
            each.module
            for each in ([function] if function != web else deployment.functions)
            if _is_channel(each, there)
        ]
        _problems.extend(_lost_canaries(cli, web, stack, channels))
    if _problems and is_last(cli):
        raise ConfigurationError("\n".join(_problems))


def _is_channel(function, there):
    return function.name in there and function.module not in {WEB, *FUNCTIONS}


def _deployed(client, deployment):
    """Names of the deployment's functions that exist."""
    pages = client.get_paginator("list_functions").paginate()
    return {found["FunctionName"] for page in pages for found in page["Functions"]} & {
        each.name for each in deployment.functions
    }


def is_last(cli):
    """Whether no stage follows."""
    return not cli.vargs.get("all") or cli.api_stage == list(cli.zappa_settings)[-1]


def _migrate(cli, web):
    applied = _invoke(cli.zappa.lambda_client, web, {"command": "notifier.deploy.operations.migrate"})
    click.echo(f"  migrations: {len(applied)} applied" if applied else "  migrations: none is missing")
    for text in _names_gone(cli, web):
        click.echo(f"  rules: {text}")
    named = {
        name: os.environ[variable] for name, variable in ADMINISTRATOR.items() if os.environ.get(variable)
    }
    wanted = named if {"username", "password"} <= named.keys() else None
    payload = {"command": "notifier.deploy.operations.create_administrator", "administrator": wanted}
    made = _invoke(cli.zappa.lambda_client, web, payload)
    if made == "made":
        click.echo(f"  administrator: {named['username']} was made")
    elif made == "missing":
        click.echo(
            "  administrator: there is none. Set DJANGO_SUPERUSER_USERNAME and "
            "DJANGO_SUPERUSER_PASSWORD (and _EMAIL) here and run "
            f"zappa update {cli.api_stage}."
        )


def _names_gone(cli, web):
    """What rules name and this release has no more. The release stands, so a failure here is not its own."""
    try:
        return _invoke(cli.zappa.lambda_client, web, {"command": "notifier.deploy.operations.names_gone"})
    except ConfigurationError as error:
        return [f"they could not be looked through. {error}"]


def _lost_canaries(cli, web, stack, channels):
    """A sentence for each route on which no canary arrived."""
    Mappings(Account(stack, cli.zappa.boto_session)).settle()
    seconds = {}
    for _ in range(RELEASES):
        missing = [route for route in channels if seconds.get(route) is None]
        try:
            found = _fly(cli.zappa.lambda_client, web, missing)
        except ConfigurationError as error:
            return [f"The canary could not be sent: {error}"]
        seconds |= {route: took for route, took in found.items() if seconds.get(route) is None}
        if None not in seconds.values():
            break
    return [lost for route, took in seconds.items() if (lost := _tell(cli, web, stack, route, took))]


def _fly(client, web, channels):
    """Release a canary to ``channels``; route → the seconds that it took, None where it has not come."""
    release = {"command": "notifier.deploy.operations.release_canary", "channels": channels}
    ask = {
        "command": "notifier.deploy.operations.canary_seconds", "rows": _invoke(client, web, release),
    }  # fmt: skip
    deadline, seconds, arrived = patience.monotonic() + CANARY_SECONDS, {}, 0
    while patience.monotonic() < deadline:
        seconds = _invoke(client, web, ask)
        if None not in seconds.values():
            break
        before, arrived = arrived, sum(took is not None for took in seconds.values())
        if arrived > before:
            # One function after the other makes its cold start: the next has as long again.
            deadline = patience.monotonic() + CANARY_SECONDS
        patience.sleep(POLL_SECONDS)
    return seconds


def _tell(cli, web, stack, route, took):
    """Print how the canary fared on ``route``; returns a sentence if a link is broken."""
    if took is not None:
        click.echo(f"  canary: {route} after {took:.1f} s")
        return None
    fresh = f"{stack.name}-{route}" in _fresh
    loss = find_loss(stack, route, cli.zappa.boto_session, stage=web.stage, fresh=fresh)
    if loss is None:
        click.echo(f"  canary: {route} is busy, the canary is still behind others")
        return None
    if loss.is_young:
        click.secho(
            f"  canary: {route} did not arrive yet. Its subscription is new, and SNS takes up to 15 minutes "
            f"to follow it. Look again then: python manage.py doctor {web.stage}",
            fg="yellow",
        )
        return None
    click.echo(f"  canary: {route} did not arrive")
    return f"The canary did not reach {route}: {loss.text}"


def _invoke(client, function, payload):
    """The answer of the function. Raises ConfigurationError when it fails."""
    answer = client.invoke(FunctionName=function.name, Payload=json.dumps(payload).encode())
    result = json.loads(answer["Payload"].read() or "null")
    if "FunctionError" in answer:
        message = result.get("errorMessage") if isinstance(result, dict) else result
        raise ConfigurationError(
            f"{function.name} failed: {message}\nIts log: zappa tail {function.stage} --since 5m"
        )
    return result
