"""Checks that only a process itself can make, of its settings and its database: this one, or the deployed web
function.

The doctor invokes the web function with ``{"command": "notifier.deploy.doctor.here.report"}``: Zappa's
handler returns what such a function returns, while it returns nothing from a management command.
"""

import os
from dataclasses import asdict, dataclass

from django.core import checks
from django.db import DatabaseError

from ..connections import connected
from . import database
from .findings import Finding, Severity, error, unchecked, warning

COMMAND = "notifier.deploy.doctor.here.report"


@dataclass(frozen=True, kw_only=True, slots=True)
class Where:
    """The process whose settings and database are looked at; ``stage`` "" is this one."""

    stage: str = ""

    @property
    def on_lambda(self):
        return "AWS_LAMBDA_FUNCTION_NAME" in os.environ

    def manage(self, command):
        """The way to run a management command there."""
        return f"zappa manage {self.stage} {command}" if self.stage else f"python manage.py {command}"

    @property
    def remedy_for_database(self):
        if not self.stage:
            return "Start the database, or correct DATABASE_URL in the environment."
        return (
            "Correct the secret DATABASE_URL, or let the functions reach the database: "
            "vpc_config in zappa_settings.json and the "
            f"database's security group, then: zappa update {self.stage}"
        )


def check_settings(where):
    """Django's own system checks, with those for a deployment where this is one."""
    for message in checks.run_checks(include_deployment_checks=where.on_lambda):
        if message.level >= checks.WARNING and not message.is_silenced():
            say = error if message.level >= checks.ERROR else warning
            yield say(
                f"Settings: {message.msg.splitlines()[0]} ({message.id})",
                message.hint or "Correct project/settings.py.",
            )


CHECKS = {
    "settings": check_settings,
    "migrations": database.check_migrations,
    "connections of the database": database.check_connections,
}


def look(stage=""):
    """``(checked, findings, facts)``.

    ``facts`` are what the doctor outside needs: channels in use, counts of connections.
    """
    where = Where(stage=stage)
    findings = list(database.check_reachable(where))
    reachable = not findings
    for about, check in CHECKS.items():
        if not reachable and check is not check_settings:
            continue
        try:
            findings += check(where)
        except DatabaseError as failure:
            findings.append(
                unchecked(
                    f"{about}: the database answered {type(failure).__name__}.", where.remedy_for_database
                )
            )
    facts = (
        {"channels": database.channels_in_use(), "connections": database.count_connections()}
        if reachable
        else {}
    )
    return ["database", *CHECKS], findings, facts


@connected()
def report(event, context):
    """:func:`look` as JSON, for the doctor outside. ``event`` is what the web function was invoked with."""
    checked, findings, facts = look(event.get("stage", ""))
    return {"checked": checked, "findings": [asdict(finding) for finding in findings], "facts": facts}


def parse(answer):
    """``(checked, findings, facts)`` of what :func:`report` returned."""
    findings = [Finding(**{**found, "severity": Severity(found["severity"])}) for found in answer["findings"]]
    return answer["checked"], findings, answer["facts"]
