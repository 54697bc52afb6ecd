"""What the tests of the local cloud share: the stand-in for X and a signed way to it."""

import pytest
import requests
from requests_oauthlib import OAuth1

from notifier.local.x import PUBLIC_URL, XStandIn
from tests.support.patience import PATIENCE_SECONDS

KEYS = {
    "consumer_key": "the-consumer-key",
    "consumer_secret": "the-consumer-secret",
    "access_token": "42-the-access-token",
    "access_token_secret": "the-access-token-secret",
}


@pytest.fixture
def keys():
    return KEYS


@pytest.fixture
def x():
    with XStandIn(**KEYS, limit=5) as stand_in:
        yield stand_in


@pytest.fixture
def post_to_x(x):
    """``post_to_x(text, **keys)`` posts as X's own clients do: signed for the public address, sent to the
    stand-in.
    """

    def post(text, *, json=None, **keys):
        keys = KEYS | keys
        public = requests.Request(
            "POST",
            PUBLIC_URL,
            json={"text": text} if json is None else json,
            auth=OAuth1(*(keys[name] for name in KEYS)),
        ).prepare()
        public.url = f"{x.url}/2/tweets"
        with requests.Session() as session:
            session.trust_env = False
            return session.send(public, timeout=PATIENCE_SECONDS)

    return post
