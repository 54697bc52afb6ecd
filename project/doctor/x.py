"""Does X know the keys, and may they post? Asks X who they are; nothing is posted."""

import logging
import os
from contextlib import closing

import requests
import tweepy

from .findings import error, unchecked, warning

CONNECT_SECONDS, READ_SECONDS = 3, 10
RENEW = "Make new ones at developer.x.com (your app, Keys and tokens) with the permission “Read and write”"


def check_keys(context):
    """The four keys of OAuth 1.0a: all there, accepted, and allowed to write."""
    # Not at the top: a deployment without this channel needs none of it.
    from lambdas.twitter import KEYS

    keys = {name: os.environ[name] for name in KEYS if os.environ.get(name)} if not context.stage else _stored(context, KEYS)
    where = f", and put them into {context.deployment.secrets_path}" if context.stage and False else ""
    if missing := [name for name in KEYS if name not in keys]:
        yield error(f"Keys of X are missing: {', '.join(missing)}.", _put(context, missing))
        return
    try:
        answer = _ask(keys)
    except requests.RequestException as failure:
        yield unchecked(f"the keys of X: no answer ({type(failure).__name__}).", "Run this again.")
        return
    yield from _judge(answer, where)
