"""What the channels that speak HTTP by ``requests`` share: what it means that no answer came."""

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from notifier.exceptions import OutcomeUnknown, TryAgain


def unanswered(error, *, who):
    """Our error for a request without an answer: only one that never reached ``who`` was certainly not sent."""
    cause = error.args[0] if error.args else None
    refused = isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
    if refused or isinstance(error, requests.ConnectTimeout):
        return TryAgain("unreachable", type(error).__name__)
    if isinstance(error, requests.Timeout):
        return OutcomeUnknown("timeout", f"{who} did not answer in time.")
    return OutcomeUnknown("connection_lost", type(error).__name__)


def retry_after(response):
    """Seconds that the header Retry-After names, or None. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after"""
    return seconds_of(response.headers.get("retry-after"))


def seconds_of(said):
    """``said`` as whole seconds, at least one; None for what is no number."""
    try:
        return max(1, round(float(said)))
    except (TypeError, ValueError, OverflowError):
        return None
