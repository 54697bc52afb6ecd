"""SMS through Twilio. A driver of ``sms``.

One plain POST: Twilio's own library adds 34 MB on disk, aiohttp among them, to every function's package; it
does what ``requests`` does here in ten lines. Twilio takes no token against doubles, so no call is ever
repeated.
"""

import logging
import os
from contextlib import contextmanager

import requests
from requests.auth import HTTPBasicAuth

from notifier.channels import credentials
from notifier.channels.waits import retry_after
from notifier.exceptions import OutcomeUnknown, Rejected, Skipped, TryAgain
from notifier.feedback.twilio import status_url

from ._http import unanswered

NAME = "Twilio"
# https://www.twilio.com/docs/api/errors/21617
MAX_CHARACTERS = 1600
# Twilio itself queues what is more than a number may send: https://help.twilio.com/articles/115002943027
RATE = None
# About what a part costs, in millionths of a US dollar, by the country of the number; carriers' own fees come
# on top. As for SNS, an average of ours stands for countries that are not here.
# https://www.twilio.com/en-us/sms/pricing/us (2025)
MICROS_PER_PART = {"US": 8_300, "CA": 8_300}
OTHER_COUNTRIES = 60_000
# TWILIO_FROM is a number, a name, or the SID of a Messaging Service. With TWILIO_API_KEY, TWILIO_AUTH_TOKEN
# is that key's secret: https://www.twilio.com/docs/iam/api-keys
KEYS = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM")
API_KEY = "TWILIO_API_KEY"
# A sender's name may hold blanks.
SECRET_KEYS = (*KEYS[:2], API_KEY)
SERVICE_PREFIX = "MG"
BASE_URL = "https://api.twilio.com"

# What the call itself answers, each at https://www.twilio.com/docs/api/errors/<code>. The 30xxx come
# later, to `notifier.feedback.twilio`.
ERRORS = {
    21610: (Skipped, "opted_out"),
    21211: (Skipped, "invalid_address"),
    21214: (Skipped, "invalid_address"),
    21217: (Skipped, "invalid_address"),
    21614: (Skipped, "invalid_address"),
    21635: (Skipped, "invalid_address"),
    21408: (Rejected, "country_not_enabled"),
    21608: (Rejected, "trial_account"),
    21602: (Rejected, "empty"),
    21617: (Rejected, "too_long"),
    20003: (Rejected, "unauthorized"),
    20005: (Rejected, "account_suspended"),
    20404: (Rejected, "unauthorized"),
    14107: (TryAgain, "throttled"),
    20429: (TryAgain, "throttled"),
    21611: (TryAgain, "throttled"),
}
# Where the answer names no code that is known. A 429 was never processed:
# https://www.twilio.com/docs/api/errors/20429
STATUSES = {401: (Rejected, "unauthorized"), 403: (Rejected, "unauthorized"), 429: (TryAgain, "throttled")}


@contextmanager
def open_sender(connect_seconds, read_seconds):
    """``send(number, text, delivery)``, which returns Twilio's SID of the message.

    ``TWILIO_API_URL`` names another host.
    """
    # At DEBUG it writes down the account's SID with each request.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    with requests.Session() as session:
        yield lambda number, text, delivery: _send(
            session, number, text, status_url(delivery), (connect_seconds, read_seconds)
        )


def account_url(account):
    """The address where the account answers, and below it its messages."""
    return f"{os.environ.get('TWILIO_API_URL') or BASE_URL}/2010-04-01/Accounts/{account}"


def _send(session, number, text, callback, timeout):
    if problem := credentials.missing(KEYS) or credentials.unusable(SECRET_KEYS):
        raise Rejected("not_configured", problem)
    account, token, sender = map(credentials.read, KEYS)
    # https://www.twilio.com/docs/messaging/api/message-resource#create-a-message
    form = {
        "To": number,
        "Body": text,
        "MessagingServiceSid" if sender.startswith(SERVICE_PREFIX) else "From": sender,
    }
    if callback:
        form["StatusCallback"] = callback
    options = {
        "auth": HTTPBasicAuth(credentials.read(API_KEY) or account, token),
        "timeout": timeout,
        "allow_redirects": False,
    }
    try:
        response = session.post(f"{account_url(account)}/Messages.json", data=form, **options)
    except requests.RequestException as error:
        raise unanswered(error, who=NAME) from None
    said = _said(response)
    if response.status_code != requests.codes.created:
        raise _refusal(response, said)
    if not said.get("sid"):
        raise OutcomeUnknown("unreadable_answer", "Twilio took it and told no SID.")
    return said["sid"]


def _said(response):
    try:
        said = response.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _refusal(response, said):
    """Our error for what Twilio answered. Its own words are left out: they repeat the number."""
    status, code = response.status_code, said.get("code")
    unlisted = (OutcomeUnknown, "provider_failed") if status >= 500 or status < 300 else (Rejected, "refused")
    known = ERRORS.get(code) if isinstance(code, int) else None
    ours, reason = known or STATUSES.get(status, unlisted)
    detail = f"Twilio answered {status}{f' with error {code}' if isinstance(code, int) else ''}."
    return (
        TryAgain(reason, detail, after_seconds=retry_after(response.headers))
        if ours is TryAgain
        else ours(reason, detail)
    )
