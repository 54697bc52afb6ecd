"""Does X know the keys, and may they post? Asks X whose they are; nothing is posted."""

import logging
import os
from contextlib import closing

import requests
import tweepy

from notifier.channels import credentials

from . import parameters
from .findings import error, unchecked, warning

CONNECT_SECONDS, READ_SECONDS = 3, 10
RENEW = (
    "Make new ones with the permission “Read and write” (developer.x.com, your app, Keys and "
    "tokens), then store them:"
)
# How X says what a token may do, on every answer:
# https://groups.google.com/g/twitter-api-announce/c/OL3G2SRpm3o
ACCESS_LEVEL = "x-access-level"


def check_keys(context):
    """The four keys of OAuth 1.0a: all there, accepted, and allowed to write."""
    # Not at the top: a deployment without this channel needs none of it.
    from lambdas.twitter import KEYS

    keys = (
        parameters.read(context, KEYS)
        if context.stage
        else {name: value for name in KEYS if (value := credentials.read(name))}
    )
    store = " ; ".join(_store(context, name) for name in KEYS)
    if missing := [name for name in KEYS if name not in keys]:
        yield error(
            f"Keys of X are missing: {', '.join(missing)}.",
            " ; ".join(_store(context, name) for name in missing),
        )
        return
    if unusable := credentials.unusable(KEYS, keys):
        yield error(f"{unusable} No post gets out.", store)
        return
    try:
        yield from _judge(_ask(*(keys[name] for name in KEYS)), store)
    except requests.RequestException as failure:
        yield unchecked(
            f"the keys of X: no answer from it ({type(failure).__name__}).", "Run this again in a minute."
        )


def _ask(consumer_key, consumer_secret, access_token, access_token_secret):
    """X's answer to "who am I": https://docs.x.com/x-api/users/get-my-user"""
    from lambdas.twitter import XAdapter

    # At DEBUG these write down what a request is signed with.
    for name in ("tweepy", "oauthlib", "requests_oauthlib"):
        logging.getLogger(name).setLevel(logging.WARNING)
    client = tweepy.Client(
        consumer_key=consumer_key,
        consumer_secret=consumer_secret,
        access_token=access_token,
        access_token_secret=access_token_secret,
        return_type=requests.Response,
    )
    client.session.mount(
        "https://", XAdapter(os.environ.get("X_API_URL"), timeout=(CONNECT_SECONDS, READ_SECONDS))
    )
    with closing(client.session):
        try:
            return client.get_me()
        except tweepy.HTTPException as refusal:
            return refusal.response


def _judge(answer, store):
    from lambdas.twitter import HORIZON_HOURS, SPENT, status_of

    if status_of(answer) == SPENT:
        yield error(
            "The account at X has no credits left, or has reached its spend cap: no post gets out.",
            "Buy credits, or raise the cap: console.x.com, Billing. What waits is posted by itself then, for "
            f"{HORIZON_HOURS} hours.",
        )
    elif answer.status_code in (401, 403):
        yield error(
            f"X refuses the keys (it answered {answer.status_code}): no post gets out.", f"{RENEW} {store}"
        )
    elif answer.status_code != 200:
        yield unchecked(
            f"the keys of X: it answered {answer.status_code}.", "Run this again in a quarter of an hour."
        )
    elif "write" not in answer.headers.get(ACCESS_LEVEL, "write"):
        yield error("The keys of X may read but not write: every post is refused.", f"{RENEW} {store}")
    elif not answer.json().get("data"):
        yield warning("X takes the keys but does not say whose they are.", f"{RENEW} {store}")


def _store(context, name):
    return parameters.put(context.deployment.stack_name, name) if context.stage else f"export {name}=…"
