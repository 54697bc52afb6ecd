"""Every check, by what it looks at, and the visit: each runs by itself, and one that cannot is a finding like
the others.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from . import (
    alarms,
    chat,
    concurrency,
    drift,
    functions,
    inside,
    leaks,
    mail,
    parameters,
    push,
    queues,
    sms,
    stages,
    x,
)
from .failures import explain
from .findings import Report, Severity, unchecked

logger = logging.getLogger(__name__)

THREADS = 8
MOST_NAMED = 2

# What is looked at in any case.
GENERAL = {
    "channels": stages.check_channels,
    "handlers": stages.check_handlers,
    "switches": stages.check_switches,
    "secrets in the settings file": leaks.check_settings_file,
    "the SES sender": mail.check_sender,
    "the SES account": mail.check_account,
}
# Only where that channel's function is there.
OF_A_CHANNEL = {
    "chat": {"the rooms of the chats": chat.check_rooms},
    "push": {"the applications of push": push.check_applications},
    "sms": {
        "the SMS driver": sms.check_driver,
        "the statuses of SMS": sms.check_statuses,
        "the SMS spend limit": sms.check_spend_limit,
        "the SMS sandbox": sms.check_sandbox,
        "the SMS sender": sms.check_sender,
    },
    "twitter": {"the keys of X": x.check_keys},
}
OF_A_DEPLOYMENT = {
    "who is told of alarms": alarms.check_told,
    "the account's concurrency": concurrency.check_quota,
    "secrets in SSM": parameters.check_parameters,
    "topic, queues, filters, mappings, roles and alarms": drift.check_drift,
}
OF_A_FUNCTION = {
    "the functions' state": functions.check_deployed,
    "the functions' concurrency": functions.check_concurrency,
    "the functions' environment": functions.check_environment,
    "keep_warm rules": functions.check_kept_warm,
    "secrets in the functions' environment": leaks.check_environment,
    "failed messages": queues.check_failed_messages,
    "fetching from the queues": queues.check_fetching,
    "visibility timeouts": queues.check_visibility,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """``about`` completes "Could not check …", ``of`` is the function it is about, if it is about one.

    ``run()`` yields findings and may raise anything.
    """

    about: str
    run: Callable
    of: str = ""


def checks_for(context):
    """The checks of this visit."""
    named = dict(GENERAL)
    for channel, those in OF_A_CHANNEL.items():
        named |= those if context.has(channel) else {}
    named |= OF_A_DEPLOYMENT if context.stage else {}
    checks = [Check(about=about, run=partial(check, context)) for about, check in named.items()]
    for function in context.functions:
        checks += [
            Check(about=about, of=function.name, run=partial(check, context, function))
            for about, check in OF_A_FUNCTION.items()
        ]
    return checks


def examine(context):
    """Run all checks and return their :class:`Report`, the worst findings first."""
    checks = checks_for(context)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="doctor") as pool:
        running = [pool.submit(_run, check) for check in checks]
        # In this thread: database connections belong to their thread.
        inside_check = Check(about="settings and database", run=partial(_check_inside, context))
        results = [_run(inside_check), *(future.result() for future in running)]
    findings = [finding for found, _ in results for finding in found]
    findings += _joined([failure for _, failure in results if failure])
    order = list(Severity)
    return Report(
        checked=list(dict.fromkeys(check.about for check in [inside_check, *checks])),
        findings=sorted(findings, key=lambda finding: order.index(finding.severity)),
    )


def _check_inside(context):
    findings, facts = inside.look(context)
    yield from findings
    yield from inside.check_rules(context, facts)
    yield from inside.check_room(context, facts)


def _run(check):
    """``(findings, failure)``; ``failure`` is None, or the check and the exception that ended it."""
    findings = []
    try:
        for finding in check.run():
            findings.append(finding)
    except Exception as failure:  # whatever it is, the other checks go on
        logger.debug("the check of %s failed", check.about, exc_info=True)
        return findings, (check, failure)
    return findings, None


def _joined(failures):
    """One finding a reason: without credentials, twenty checks fail for the same."""
    reasons = {}
    for check, failure in failures:
        reasons.setdefault(explain(failure), {}).setdefault(check.about, []).append(check.of)
    for (reason, remedy), abouts in reasons.items():
        yield unchecked(f"{', '.join(map(_named, abouts, abouts.values()))}: {reason}.", remedy)


def _named(about, functions):
    """With the functions' names as long as they are few."""
    return f"{about} ({', '.join(functions)})" if any(functions) and len(functions) <= MOST_NAMED else about
