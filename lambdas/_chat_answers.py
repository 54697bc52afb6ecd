"""Reads the answers of a chat service to the requests of one message: whether it has it, and what to do
where it has not. Called by ``chat``.

Note [a no within a 200]: most services answer 200 whatever came of it, and say so in a field. The table is
``_chat_services``.

Note [several requests]: only the one that carries the message decides about it. What logs in before it was a
question, after which nothing was sent; what logs out after it changes nothing. Of a message that went in
several parts, of which one was taken and one was not, none is sent again by itself.
"""

import re
from http import HTTPStatus

import requests

from notifier.channels import waits
from notifier.exceptions import OutcomeUnknown, Rejected, TryAgain

from ._chat_services import BUSY, FORBIDDEN, LIMITED, NOT_FOUND, REFUSED, TOO_LONG, UNAUTHORIZED, UNKNOWN
from ._chat_waits import at
from ._http import unanswered

WHO = "The chat service"
# Where the service itself says nothing else. https://core.telegram.org/bots/api#making-requests,
# https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors,
# https://docs.discord.com/developers/topics/opcodes-and-status-codes#http
STATUSES = {
    401: UNAUTHORIZED, 403: FORBIDDEN, 404: NOT_FOUND, 410: NOT_FOUND, 413: TOO_LONG, 429: LIMITED,
}  # fmt: skip
# Services that only hand a message on tell by these words what the other said:
# https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using#rate-limiting-for-connectors
HANDED_ON = re.compile(r"HTTP error (\d{3})")
# A code that is not in the table, and says it in words.
TOO_MANY = re.compile(r"too (?:many|fast)|rate.?limit|frequen|\bfreq\b|throttl|quota", re.IGNORECASE)
# Fields in which a service that is not in the table says no.
SAID_NO = (("ok", False), ("success", False), ("status", "error"), ("status", "fail"))
CODES = ("errcode", "error_code", "errorCode")
MOST_READ = 2000


def outcome_of(exchanges, service, *, taken):
    """The service's id of the message, blank where it tells none. Raises a SendError where it was not taken.

    ``service`` is None for one that is not in the table; ``taken`` is what Apprise says of it then.
    """
    if not exchanges:
        raise Rejected("refused_here", "Apprise sent nothing; the room’s URL may lack something.")
    if service is None:
        return _by_apprise(exchanges, taken)
    sent = [each for each in exchanges if each.method != "GET" and service.sends.search(each.path)]
    if not sent:
        raise _before_it(exchanges)
    refusals = [refusal_of(each.answer, service) for each in sent]
    failed = [refusal for refusal in refusals if refusal]
    if failed and len(failed) < len(sent):
        raise Rejected("partly_sent", f"{len(sent) - len(failed)} of {len(sent)} parts were taken.")
    if failed:
        raise failed[0]
    return _id_of(sent[-1].answer, service)


def _by_apprise(exchanges, taken):
    """Nobody knows which of the requests is the message: what answered well and was not liked decides."""
    refusals = [refusal_of(each.answer, None) for each in exchanges]
    well = [_is_well(each.answer) for each in exchanges]
    counted = [no for no, is_well in zip(refusals, well, strict=True) if no and (is_well or not taken)]
    if counted:
        raise counted[0]
    if not taken:
        raise OutcomeUnknown("unreadable_answer", "It answered well, and not as Apprise knows it.")
    return _id_of(exchanges[-1].answer, None)


def _before_it(exchanges):
    """Our error where a question failed, the last of them: nothing was sent, whatever became of that."""
    for each in reversed(exchanges):
        refusal = refusal_of(each.answer, None)
        if isinstance(refusal, OutcomeUnknown):
            return TryAgain(refusal.reason, refusal.detail)
        if refusal:
            return refusal
    return Rejected("refused_here", "Apprise asked, and then sent nothing; the room may not be there.")


def refusal_of(answer, service):
    """Our error for an answer, or None for a success."""
    if isinstance(answer, requests.RequestException):
        return unanswered(answer, who=WHO)
    said, status = _json(answer), answer.status_code
    words = answer.text[:MOST_READ].strip() if not isinstance(said, dict) else ""
    if _is_well(answer):
        return _within_a_success(answer, said, words, service)
    code = _code_of(said, words, service)
    unlisted = UNKNOWN if status >= HTTPStatus.INTERNAL_SERVER_ERROR else REFUSED
    kind = (service.errors.get(code) if service else None) or STATUSES.get(status, unlisted)
    return _error(LIMITED if status == HTTPStatus.TOO_MANY_REQUESTS else kind, answer, said, code, service)


def _is_well(answer):
    return isinstance(answer, requests.Response) and 200 <= answer.status_code < 300


def _within_a_success(answer, said, words, service):
    """See note [a no within a 200]."""
    if words.startswith("<"):
        return OutcomeUnknown("unreadable_answer", f"It answered {answer.status_code} with a page.")
    if handed_on := HANDED_ON.search(words):
        status = int(handed_on[1])
        return _error(STATUSES.get(status, BUSY if status >= 500 else REFUSED), answer, said, status, service)
    if _is_success(said, words, service):
        must = service and service.must_tell_id and not _id_of(answer, service)
        detail = f"It answered {answer.status_code}, and told no id."
        return OutcomeUnknown("unreadable_answer", detail) if must else None
    code = _code_of(said, words, service)
    if code is None and service and service.verdict and at(said, service.verdict[0]) is None:
        return OutcomeUnknown("unreadable_answer", f"It answered {answer.status_code}, and not as it does.")
    told = f"{words} {at(said, 'errmsg|msg|error.message|message|description|error') or ''}"
    unlisted = LIMITED if TOO_MANY.search(told[:MOST_READ]) else REFUSED
    kind = (service.errors.get(code) if service else None) or unlisted
    return _error(kind, answer, said, code, service)


def _is_success(said, words, service):
    if not isinstance(said, dict):
        is_ok = (
            words.lower() in ("ok", "", "1") if service and service.verdict else "fail" not in words.lower()
        )
        return is_ok and (words or not (service and service.verdict))
    if service and service.verdict:
        name, value = service.verdict
        # As a text, too: 0 is not False, and "0" is 0.
        return str(at(said, name)).lower() == str(value).lower()
    codes = [at(said, name) for name in CODES]
    is_no = any(said.get(name) == value and type(said.get(name)) is type(value) for name, value in SAID_NO)
    has_code = any(code not in (None, 0, "0", "", "ok", False) for code in codes)
    return not is_no and not has_code and not (service and at(said, service.code or "error") is not None)


def _code_of(said, words, service):
    """The code of an answer as the table has it: a number, or a word; None where there is none."""
    if words:
        return words if re.fullmatch(r"\w{1,60}", words) else None
    code = at(said, service.code if service and service.code else "|".join(CODES))
    if isinstance(code, str) and re.fullmatch(r"-?\d{1,9}", code):
        return int(code)
    return code if isinstance(code, int | str) and not isinstance(code, bool) else None


def _error(kind, answer, said, code, service):
    """Our error. Of a service's words only a code is told that its table has: others may repeat the text."""
    ours, reason = kind
    known = isinstance(code, int) or bool(service and code in service.errors)
    detail = f"{WHO} answered {answer.status_code}{f' with {code}' if known else ''}."
    if ours is not TryAgain:
        return ours(reason, detail)
    asked = service.wait(answer.headers, said) if service and service.wait else None
    return TryAgain(reason, detail, after_seconds=asked or waits.retry_after(answer.headers))


def _id_of(answer, service):
    said = _json(answer)
    found = at(said, ".".join(service.id)) if service and service.id else at(said, "ts")
    return str(found) if isinstance(found, int | str) else ""


def _json(answer):
    try:
        return answer.json()
    except ValueError:
        return None
