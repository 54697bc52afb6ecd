"""The findings of checks: how bad, what and where, and what to do about it. Printed by ``page``."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """In the order in which a person should look at them."""

    ERROR = "error"  # something does not work, or will not at the next message
    WARNING = "warning"  # works, but not as a deployment should
    UNCHECKED = "not checked"  # nobody knows: the question could not be asked


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """``what`` is a sentence that says what and where; ``remedy`` is a command to type or a place to
    change.
    """

    severity: Severity
    what: str
    remedy: str


@dataclass(kw_only=True, slots=True)
class Report:
    """The names of what was looked at, and what was found there, the worst first."""

    checked: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def failed(self):
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    def as_json(self):
        return {
            "failed": self.failed,
            "checked": self.checked,
            "findings": [asdict(finding) for finding in self.findings],
        }


def error(what, remedy):
    return Finding(severity=Severity.ERROR, what=what, remedy=remedy)


def warning(what, remedy):
    return Finding(severity=Severity.WARNING, what=what, remedy=remedy)


def unchecked(what, remedy):
    return Finding(severity=Severity.UNCHECKED, what=f"Could not check {what}", remedy=remedy)
