"""Posts to X by tweepy, on the v2 endpoint with OAuth 1.0a user context."""

import datetime as dt
import logging
import math
import os
import re
import time
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import requests
import tweepy
from requests.adapters import HTTPAdapter

from lambdas._handler import make_handler
from lambdas._http import refusal, unanswered
from lambdas._weighted_length import MAX_WEIGHTED_LENGTH, has_invalid_characters, has_link, weighted_length
from lambdas._x_timeline import posts_like
from notifier.channels import credentials
from notifier.channels.limits import Limit
from notifier.channels.message import Examination, Message, Problem
from notifier.channels.waits import seconds_until
from notifier.exceptions import OutcomeUnknown, Rejected, TryAgain

# What people read for it; `notifier.channels.registry` finds these without importing this file.
LABEL = "Post on X"
VERB = "post on X as"
EXAMPLE = "@account"
MARK = "X"
CONNECT_SECONDS, READ_SECONDS = 3, 10
# A limit of X lasts up to a day: https://docs.x.com/x-api/fundamentals/rate-limits
HORIZON_HOURS = 36
# X's limits are few posts a window; two is the least that AWS takes:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html#events-sqs-max-concurrency
MAXIMUM_CONCURRENCY = 2
# The daily limits come with headers of their own, which X's pages leave out:
# https://github.com/akrherz/iembot/issues/163
LIMITS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
# X tells its limits with every answer, so none stands here. The last ones of a window are left: the other
# functions may be using them.
RATE = Limit()
LEFT_ALONE = MAXIMUM_CONCURRENCY - 1
# One post after the other: what X says of its limits with one counts for the next.
CONCURRENCY = 1
# A day's limit has five digits; Python refuses to read thousands.
DIGITS = re.compile(r"(?a:\d{1,20})")
KEYS = CREDENTIALS = ("X_CONSUMER_KEY", "X_CONSUMER_SECRET", "X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET")
# X's words for it, in the `detail` of a 403: https://github.com/sferik/x-ruby/issues/24
DUPLICATE = "duplicate content"
# X is paid beforehand: without credits it answers 402, and beyond the spend cap that the account's owner has
# set a 403 of this title. https://docs.x.com/x-api/getting-started/pricing
SPENT, SPEND_CAP = requests.codes.payment_required, "SpendCapReached"
# Stands for the id of a post that is there but whose id X did not tell.
POSTED_BEFORE = "duplicate"

# What X charges for a post, in millionths of a US dollar. https://docs.x.com/x-api/getting-started/pricing
# (2026)
MICROS_PER_POST, MICROS_PER_POST_WITH_LINK = 15_000, 200_000

# https://docs.x.com/x-api/fundamentals/response-codes-and-errors
ERRORS = {
    400: (Rejected, "refused"),
    401: (Rejected, "unauthorized"),
    SPENT: (TryAgain, "no_credits"),
    403: (Rejected, "forbidden"),
    404: (Rejected, "refused"),
    429: (TryAgain, "throttled"),
}


def send(message: Message, client: tweepy.Client) -> str:
    """Post ``message.text`` by the tweepy client ``client`` and return the post's id; the address is of no
    account.

    X refuses a text that it has. On a first attempt that is Rejected (``duplicate``); on a later one it means
    that an earlier attempt was posted, unheard, and the id returned is POSTED_BEFORE.
    """
    if problem := credentials.missing(KEYS) or credentials.unusable(KEYS):
        raise Rejected("not_configured", problem)
    _check(message.text)
    try:
        return client.create_tweet(text=message.text).data["id"]
    except tweepy.HTTPException as error:
        if error.response.status_code == 403 and DUPLICATE in " ".join(error.api_messages):
            if message.attempt > 1:
                return POSTED_BEFORE
            raise Rejected("duplicate", "X already has this text.") from None
        raise refusal(
            status_of(error.response),
            ERRORS,
            who="X",
            after_seconds=_closed_for(error.response.headers, left=0),
        ) from None
    except requests.RequestException as error:
        raise unanswered(error, who="X") from None


def find_sent(message: Message, client: tweepy.Client, since: dt.datetime) -> list[str]:
    """The ids of the posts of the account's own timeline since then that are ``message``, the newest first.

    Raises TryAgain where X cannot be asked now, OutcomeUnknown (``cannot_tell``) where it cannot tell.
    """
    try:
        return posts_like(client, message.text, since)
    except tweepy.HTTPException as error:
        status = status_of(error.response)
        detail = f"X answered {status} to the question for the posts of its account."
        if status == SPENT:
            raise TryAgain("no_credits", detail) from None
        if status == requests.codes.too_many_requests or status >= 500:
            after_seconds = _closed_for(error.response.headers, left=0)
            raise TryAgain("throttled", detail, after_seconds=after_seconds) from None
        raise OutcomeUnknown("cannot_tell", detail) from None
    except requests.RequestException as error:
        raise TryAgain("unreachable", type(error).__name__) from None


def examine(message: Message) -> Examination:
    """The length of ``message`` as X counts, and what it charges for it. Pure; never raises."""
    text, problems = message.text, []
    length = weighted_length(text)
    # What X refuses costs nothing.
    linked = length <= MAX_WEIGHTED_LENGTH and has_link(text)
    if not text.strip():
        problems.append(
            Problem(part="text", text="The text is empty: it would not be posted.", is_error=True)
        )
    if length > MAX_WEIGHTED_LENGTH:
        count = f"{length} characters as X counts them: it takes {MAX_WEIGHTED_LENGTH}."
        problems.append(Problem(part="text", text=count, is_error=True))
    if has_invalid_characters(text):
        problems.append(
            Problem(part="text", text="It holds a character that X does not take.", is_error=True)
        )
    if linked:
        problems.append(
            Problem(part="text", text="It holds a link: X charges $0.200 for the post instead of $0.015.")
        )
    return Examination(
        look="post",
        is_public=True,
        problems=tuple(problems),
        length=length,
        limit=MAX_WEIGHTED_LENGTH,
        unit="characters as X counts them",
        cost_micros=_price_of(linked),
    )


def price(message: Message) -> int:
    """The price that X charges for ``message``, in millionths of a US dollar."""
    # What X refuses costs nothing.
    return _price_of(weighted_length(message.text) <= MAX_WEIGHTED_LENGTH and has_link(message.text))


def _price_of(is_linked):
    return MICROS_PER_POST_WITH_LINK if is_linked else MICROS_PER_POST


@contextmanager
def open_session(connect_seconds=CONNECT_SECONDS, read_seconds=READ_SECONDS):
    """The tweepy client of one batch, with time-outs, which tweepy has none of.

    ``X_API_URL`` names another host.
    """
    # At DEBUG these write down every request, with the text and what it is signed with.
    for name in ("tweepy", "oauthlib", "requests_oauthlib"):
        logging.getLogger(name).setLevel(logging.WARNING)
    consumer_key, consumer_secret, access_token, access_token_secret = map(credentials.read, KEYS)
    client = tweepy.Client(
        consumer_key=consumer_key,
        consumer_secret=consumer_secret,
        access_token=access_token,
        access_token_secret=access_token_secret,
    )
    adapter = XAdapter(os.environ.get("X_API_URL"), timeout=(connect_seconds, read_seconds))
    client.session.mount("https://", adapter)
    client.session.hooks["response"].append(adapter.note_limits)
    with closing(client.session):
        yield client


class XAdapter(HTTPAdapter):
    """Gives every request ``timeout`` and, with ``base_url``, another scheme and host.

    tweepy names X's host in its code. The request is signed before it comes here, so for the public address.
    """

    def __init__(self, base_url, *, timeout):
        super().__init__()
        self._base, self._timeout = urlsplit(base_url or ""), timeout
        self.closed_until = 0.0

    def note_limits(self, response, **_options):
        """Remember until when X takes no more, as its answer says."""
        # Those of reading are others.
        if response.request.method == "POST":
            closed_until = time.time() + (_closed_for(response.headers) or 0)
            self.closed_until = max(self.closed_until, closed_until)

    def send(self, request, *, proxies=None, timeout=None, **kwargs):
        if self._base.netloc:
            request.url = (
                urlsplit(request.url)._replace(scheme=self._base.scheme, netloc=self._base.netloc).geturl()
            )
            proxies = None  # they were chosen for the public host
        return super().send(request, proxies=proxies, timeout=self._timeout, **kwargs)


def _check(text):
    if not text.strip():
        raise Rejected("empty")
    length = weighted_length(text)
    if length > MAX_WEIGHTED_LENGTH:
        raise Rejected("too_long", f"{length} weighted characters; X takes {MAX_WEIGHTED_LENGTH}.")
    if has_invalid_characters(text):
        raise Rejected("invalid_characters")


def status_of(response):
    """The HTTP status of what X answers, in which a reached spend cap is SPENT."""
    return SPENT if SPEND_CAP in response.text else response.status_code


def used_up(client):
    """For how many seconds X takes no more, by what it said with its last answers; 0 where it takes more."""
    return max(0, math.ceil(client.session.get_adapter("https://").closed_until - time.time()))


def _closed_for(headers, left=LEFT_ALONE):
    """Seconds until the last limit is reset of which no more than ``left`` remain; None where there is
    none.
    """
    told = [(headers.get(f"{limit}-remaining", ""), headers.get(f"{limit}-reset", "")) for limit in LIMITS]
    resets = [reset for remaining, reset in told if DIGITS.fullmatch(remaining) and int(remaining) <= left]
    return max(filter(None, map(seconds_until, resets)), default=None)


handler = make_handler(
    send,
    session=open_session,
    at_most_once=True,
    horizon_hours=HORIZON_HOURS,
    concurrency=CONCURRENCY,
    rate=RATE,
    used_up=used_up,
)
