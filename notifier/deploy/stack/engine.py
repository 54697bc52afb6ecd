"""Compares what a stack declares with what AWS has, and makes AWS follow.

All that ``plan`` lists, and nothing else, is done by ``apply``.

Reading comes first and changes nothing; each kind of resource reads in a thread of its own.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from notifier.exceptions import ConfigurationError

from . import patience
from .account import Account
from .changes import Change
from .declaration import RouteSettings
from .resources import KINDS, Bucket, Queues, Roles

logger = logging.getLogger(__name__)

# A role, and what a role may do, is not everywhere at once, and a function that starts before fails:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
ROLE_SECONDS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Queue:
    """An applied route's queue and where its failed messages go."""

    url: str
    arn: str
    dlq_url: str
    dlq_arn: str
    settings: RouteSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """The resources after :func:`apply`.

    ``role_arns`` are by function name; ``changes`` are what had to be done, or still waits.
    """

    topic_arn: str
    queues: dict[str, Queue]
    role_arns: dict[str, str]
    bucket: str
    configuration_set: str
    changes: list[Change] = field(compare=False, default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A change and how to make it; None for one that waits."""

    change: Change
    run: Callable | None = None


def plan(stack, session=None):
    """The steps that :func:`apply` would take, as a list of Change. Reads only."""
    return [step.change for step in _steps(_kinds(Account(stack, session)))]


def apply(stack, session=None):
    """Make AWS hold what ``stack`` declares, and return it as :class:`Applied`.

    ``session`` is a boto3 session; without one, the environment's. What needs a function that is not deployed
    waits for a later call. Things that the stack made and no longer declares are deleted; those of others are
    left alone.
    """
    account = Account(stack, session)
    kinds = _kinds(account)
    steps = _steps(kinds)
    _refuse_orphans(account, steps)
    _run(steps)
    put = [step.change.resource for step in steps if step.change.action in ("create", "change")]
    if any(resource.startswith(f"{Roles.label} ") for resource in put):
        _let_roles_spread(account)
    return _applied(account, kinds, [step.change for step in steps])


def destroy(stack, session=None, *, dry_run=False):
    """Delete everything of ``stack``, also what is only half there, and return the list of Change.

    Twice is harmless.

    With ``dry_run`` nothing is deleted. The functions themselves are Zappa's to undeploy, and secrets are
    kept.
    """
    kinds = _kinds(Account(stack, session), with_all=True)
    steps = [step for kind, found in reversed(_survey(kinds)) for step in _deletions(kind, found)]
    if not dry_run:
        _run(steps)
    return [step.change for step in steps]


def _kinds(account, *, with_all=False):
    stack = account.stack
    return [kind(account) for kind in KINDS if with_all or stack.functions or not kind.needs_functions]


def _survey(kinds):
    """``(kind, what exists of it)`` for each kind, in order."""
    with ThreadPoolExecutor(len(kinds)) as pool:
        return list(zip(kinds, pool.map(lambda kind: kind.found(), kinds), strict=True))


def _steps(kinds):
    """The steps to take: first what is missing or differs, then, from the end, what is too much."""
    surveyed = _survey(kinds)
    steps = [step for kind, found in surveyed for step in _puts(kind, found)]
    return steps + [
        step for kind, found in reversed(surveyed) for step in _deletions(kind, found, keep=kind.wanted())
    ]


def _puts(kind, found):
    for name, attributes in kind.wanted().items():
        resource = f"{kind.label} {name}"
        if name not in found:
            if (function := kind.needed(name)) and not kind.account.is_deployed(function):
                yield Step(change=Change(resource=resource, action="wait"))
            else:
                yield Step(
                    change=Change(resource=resource, action="create"),
                    run=_later(kind.create, name, attributes),
                )
        elif differing := {
            key: (found[name].get(key), value)
            for key, value in attributes.items()
            if found[name].get(key) != value
        }:
            wanted = {key: value for key, (_, value) in differing.items()}
            change = Change(resource=resource, action="change", differences=differing)
            yield Step(change=change, run=_later(kind.change, name, wanted))


def _deletions(kind, found, *, keep=()):
    for name in found:
        if name not in keep and kind.is_ours(name):
            yield Step(
                change=Change(resource=f"{kind.label} {name}", action="delete"), run=_later(kind.delete, name)
            )


def _later(method, *arguments):
    return lambda: method(*arguments)


def _run(steps):
    for step in steps:
        if step.run:
            patience.patiently(step.run)
            logger.info("%s", step.change)


def _refuse_orphans(account, steps):
    """A function whose stage is gone from the settings would lose its queue, with what waits in it, and its
    role.
    """
    for step in steps:
        kind, _, name = step.change.resource.rpartition(" ")
        if step.change.action == "delete" and kind == Roles.label and account.is_deployed(name):
            raise ConfigurationError(
                f"The function {name} is deployed, and zappa_settings.json has no stage for "
                "it. Put the stage back; to be rid of both, "
                "run zappa undeploy with it, then take it out."
            )


def _let_roles_spread(account):
    # What only stands in for AWS has them everywhere at once.
    if "amazonaws.com" in account.client("iam").meta.endpoint_url:
        patience.sleep(ROLE_SECONDS)


def _applied(account, kinds, changes):
    stack = account.stack
    urls = next(kind.urls for kind in kinds if isinstance(kind, Queues))
    return Applied(
        topic_arn=account.arn("sns", stack.name),
        queues={
            route: Queue(
                url=urls[f"{stack.name}-{route}"],
                arn=account.arn("sqs", f"{stack.name}-{route}"),
                dlq_url=urls[f"{stack.name}-{route}-dlq"],
                dlq_arn=account.arn("sqs", f"{stack.name}-{route}-dlq"),
                settings=settings,
            )
            for route, settings in stack.routes.items()
        },
        role_arns={function.name: account.role_arn(function.name) for function in stack.functions},
        bucket=Bucket.name_in(account) if stack.functions else "",
        configuration_set=stack.name if stack.sender else "",
        changes=changes,
    )
