"""The report for a person who reads it at night: the worst first, each finding with what to type below it."""

import shutil
import textwrap
from collections import Counter

from .findings import Severity

WIDEST = 120
INDENT = 2 + max(len(severity) for severity in Severity) + 2
NOUNS = {
    Severity.ERROR: ("error", "errors"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.UNCHECKED: ("not checked", "not checked"),
}


def render(report, *, of):
    """The text of ``report``; ``of`` says what was looked at, such as a stage's name."""
    if not report.findings:
        return f"{of}: nothing wrong. Checked:\n{_list(report.checked)}"
    blocks = [_block(finding) for finding in report.findings]
    return "\n\n".join([f"{of}: {_summary(report)}", *blocks])


def _summary(report):
    counts = Counter(finding.severity for finding in report.findings)
    said = [
        f"{counts[severity]} {NOUNS[severity][counts[severity] > 1]}"
        for severity in Severity
        if counts[severity]
    ]
    return f"{', '.join(said)}."


def _block(finding):
    # What is to be typed stays on one line, so that it can be copied.
    return f"{_wrapped(finding.what, first=f'  {finding.severity}')}\n{' ' * INDENT}→ {finding.remedy}"


def _list(names):
    return textwrap.fill(
        ", ".join(names), _width(), initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )


def _wrapped(text, *, first):
    return textwrap.fill(
        text,
        _width(),
        initial_indent=first.ljust(INDENT),
        subsequent_indent=" " * INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _width():
    return min(shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST)
