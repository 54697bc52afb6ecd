"""The answers of ``requests`` as our errors, and that none came, for the channels that speak HTTP by it."""

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from notifier.exceptions import OutcomeUnknown, Rejected, TryAgain


def unanswered(error, *, who):
    """Our error for a request without an answer: only one that never reached ``who`` was certainly not
    sent.
    """
    cause = error.args[0] if error.args else None
    refused = isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
    if refused or isinstance(error, requests.ConnectTimeout):
        return TryAgain("unreachable", type(error).__name__)
    if isinstance(error, requests.Timeout):
        return OutcomeUnknown("timeout", f"{who} did not answer in time.")
    return OutcomeUnknown("connection_lost", type(error).__name__)


def refusal(status, errors, *, who, after_seconds):
    """Our error for an answer other than a success, as ``errors`` (status → error, reason) says.

    Its own words may repeat the text.
    """
    unlisted = (OutcomeUnknown, "provider_failed") if status >= 500 else (Rejected, "refused")
    ours, reason = errors.get(status, unlisted)
    detail = f"{who} answered {status}."
    return TryAgain(reason, detail, after_seconds=after_seconds) if ours is TryAgain else ours(reason, detail)
