"""Signed JSON documents to other people's servers, by Standard Webhooks."""

import json
import socket
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import requests
from standardwebhooks.webhooks import Webhook

from notifier import conf
from notifier.channels import webhook_secrets
from notifier.channels.message import Examination, Message, Problem
from notifier.channels.waits import retry_after
from notifier.exceptions import ConfigurationError, Rejected, Skipped, TryAgain

from ._handler import make_handler
from ._http import unanswered
from ._outbound import OutboundRefused, open_outbound, post

# What people read for it.
LABEL = "Webhook"
VERB = "call the webhook of"
EXAMPLE = "https://shop.example.com/hooks"
MARK = "{}"
CONNECT_SECONDS, READ_SECONDS = 5, 15
# From the first packet to the last, however slowly they come.
TOTAL_SECONDS = 20
# Receivers may be slow, and one must not keep the others waiting.
CONCURRENCY = 8
# A receiver may be down over a weekend.
HORIZON_HOURS = 72
# Ours: receivers take what a request commonly holds, and a document that is larger belongs behind a link.
MAX_BYTES = 256 * 1024
# Raise it when an older receiver would misread a newer document.
FORMAT_VERSION = 1
USER_AGENT = "Notifier (+https://www.standardwebhooks.com)"
CHANNEL = __name__.rpartition(".")[2]

# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#response-handling,
# where every other answer
# than 2xx is tried again. What a receiver refuses for good is not: a person sees it at once, and may retry
# it.
ANSWERS = {
    408: (TryAgain, "timeout"),
    409: (TryAgain, "provider_failed"),
    410: (Rejected, "gone"),
    425: (TryAgain, "throttled"),
    429: (TryAgain, "throttled"),
}
# By the hundreds, of those that are not above. A redirect is followed by nobody: who checked the first
# address did not check the second.
KINDS = {
    1: (TryAgain, "provider_failed"),
    3: (Rejected, "redirected"),
    4: (Rejected, "refused"),
    5: (TryAgain, "provider_failed"),
}


def send(message: Message, session: requests.Session) -> str:
    """POST the document of ``message`` to its address and return the id that it was sent under, the same at
    each attempt.
    """
    body, identity = document_of(message), webhook_id(message.delivery)
    headers = {"Content-Type": "application/json", **_signatures(message.address, identity, body)}
    try:
        status, answered = post(session, message.address, body=body, headers=headers)
    except OutboundRefused as refused:
        raise Skipped("invalid_address", str(refused)) from None
    except (requests.RequestException, OSError) as error:
        raise _silence(error) from None
    if 200 <= status < 300:
        return identity
    raise _refusal(status, answered)


def document_of(message):
    """The JSON text to send. Raises Rejected when there is none, or too much of it."""
    if not (message.subject.strip() or message.text.strip()):
        raise Rejected("empty")
    recorded_at = message.recorded_at or datetime.now(UTC)
    document = {
        "type": message.subject.strip() or message.verb or "notification",
        "timestamp": recorded_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "version": FORMAT_VERSION,
        "data": _data_of(message),
    }
    body = json.dumps(document, separators=(",", ":"))
    if len(body) > MAX_BYTES:
        raise Rejected("too_long", f"{len(body)} bytes; at most {MAX_BYTES} are sent.")
    return body


def _data_of(message):
    try:
        found = own_data(message.text)
    except ValueError as error:
        raise Rejected("bad_json", _fault(error)) from None
    return (
        found if found is not None else {"title": message.subject, "text": message.text, "link": message.link}
    )


def own_data(text):
    """The object that ``text`` is in JSON; None where it does not begin like one.

    ValueError where it only begins so.
    """
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("It is nested too deeply.") from None


def _refuse_constant(name):
    raise ValueError(f"{name} is no number in JSON.")


def _fault(error):
    """The fault in JSON and its place, without quoting it."""
    is_syntax = isinstance(error, json.JSONDecodeError)
    return f"{error.msg}: line {error.lineno}, column {error.colno}." if is_syntax else str(error)


def webhook_id(delivery):
    """The id by which receivers tell a repetition: of the delivery, and of this deployment, as one endpoint
    may hear several.
    """
    name = f"{conf.get('TOPIC_ARN')}/{delivery}"
    return f"msg_{uuid5(NAMESPACE_URL, name).hex}"


def _signatures(url, identity, body):
    """The headers of
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#webhook-headers.
    """
    # In UTC: the library takes a time's digits for UTC's, whatever its zone.
    now = datetime.now(UTC)
    try:
        signatures = [Webhook(secret).sign(identity, now, body) for secret in webhook_secrets.secrets_of(url)]
    except ConfigurationError as error:
        raise Rejected("not_configured", str(error)) from None
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def examine(message: Message) -> Examination:
    """The document's faults, and its length. Pure; never raises."""
    problems, text = [], message.text
    if not (message.subject.strip() or text.strip()):
        problems.append(Problem(part="text", text="The text is empty: it would not be sent.", is_error=True))
    try:
        own_data(text)
    except ValueError as error:
        fault = f"It begins like JSON and is none: {_fault(error)} Write values as {{{{ name|json }}}}."
        problems.append(Problem(part="text", text=fault, is_error=True))
    length = len(json.dumps([message.subject, text, message.link]))
    if length > MAX_BYTES:
        problems.append(
            Problem(part="text", text=f"{length} bytes of JSON: at most {MAX_BYTES} are sent.", is_error=True)
        )
    return Examination(problems=tuple(problems), length=length, limit=MAX_BYTES, unit="bytes of JSON")


def price(_message: Message) -> int:
    """Nobody asks anything for it."""
    return 0


def open_session():
    """The session of one batch."""
    return open_outbound(
        connect_seconds=CONNECT_SECONDS,
        read_seconds=READ_SECONDS,
        total_seconds=TOTAL_SECONDS,
        user_agent=USER_AGENT,
    )


def _refusal(status, headers):
    """Our error for an answer other than a success.

    The receiver's own words are not read: they may repeat what they were sent.
    """
    ours, reason = ANSWERS.get(status) or KINDS.get(status // 100, (Rejected, "refused"))
    detail = f"The endpoint answered {status}."
    return (
        TryAgain(reason, detail, after_seconds=retry_after(headers))
        if ours is TryAgain
        else ours(reason, detail)
    )


def _silence(error):
    """Our error for a request without an answer.

    A receiver tells a repetition by its id, so all of them are tried again.
    """
    if isinstance(error, socket.gaierror):
        return TryAgain("unreachable", "The name of the host was not found.")
    if isinstance(error, requests.exceptions.SSLError):
        return TryAgain("tls_failed", "No encrypted connection was made.")
    return unanswered(error, who="The endpoint")


handler = make_handler(
    send,
    session=open_session,
    at_most_once=False,
    horizon_hours=HORIZON_HOURS,
    concurrency=CONCURRENCY,
)
