"""A stand-in for Twilio's API: takes messages as Twilio does and refuses what it refuses.

https://www.twilio.com/docs/messaging/api/message-resource#create-a-message
"""

import hmac
import json
from base64 import b64decode, b64encode
from contextlib import contextmanager

from werkzeug.wrappers import Request, Response

from lambdas._sms_twilio import KEYS
from notifier.local.server import LoopbackServer

ACCOUNT, TOKEN, SENDER = "AC" + "0" * 32, "local-twilio-token", "+15005550006"
KEY = "SK" + "1" * 32
MAX_CHARACTERS = 1600


class TwilioStandIn(LoopbackServer):
    """``messages`` are the forms that were taken, ``requests`` counts all.

    ``fail_next`` answers the next one otherwise; ``status_of`` is what Twilio posts later about one that it
    has taken.
    """

    def __init__(self):
        super().__init__(self._answer, name="The stand-in for Twilio")
        self.messages, self.requests, self._failures = [], 0, []

    def fail_next(self, status, *, code=None, body=None, headers=()):
        said = (
            json.dumps({"code": code, "message": "about +12065550123", "status": status})
            if body is None
            else body
        )
        self._failures.append(
            Response(said, status=status, headers=dict(headers), content_type="application/json")
        )

    def status_of(self, position, status, *, code=None, token=TOKEN, **changed):
        """``(url, form, signature)`` of a status of the message at ``position``, signed as Twilio signs.
        https://www.twilio.com/docs/usage/webhooks/webhooks-security
        """
        taken, sid = self.messages[position], f"SM{position + 1:032x}"
        form = {
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
            "MessageSid": sid,
            "SmsSid": sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "From": taken.get("From", SENDER),
            "To": taken["To"],
            **({"ErrorCode": str(code)} if code else {}),
            **changed,
        }
        url = taken["StatusCallback"]
        return url, form, sign(url, form, token)

    def _answer(self, environ, start_response):
        request = Request(environ)
        self.requests += 1
        response = self._failures.pop(0) if self._failures else self._respond(request)
        return response(environ, start_response)

    def _respond(self, request):
        user, _colon, secret = (
            b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode().partition(":")
        )
        if user not in (ACCOUNT, KEY) or secret != TOKEN:
            return _error(401, 20003)
        if (request.method, request.path) == ("GET", f"/2010-04-01/Accounts/{ACCOUNT}.json"):
            return _json(200, {"sid": ACCOUNT, "status": "active", "type": "Full"})
        if (request.method, request.path) != ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"):
            return _error(404, 20404)
        form = request.form.to_dict()
        if not form.get("From") and not form.get("MessagingServiceSid"):
            return _error(400, 21603)
        if not form.get("Body"):
            return _error(400, 21602)
        if len(form["Body"]) > MAX_CHARACTERS:
            return _error(400, 21617)
        if not form.get("To", "").startswith("+"):
            return _error(400, 21211)
        self.messages.append(form)
        return _json(201, {"sid": f"SM{len(self.messages):032x}", "status": "queued", "error_code": None})


@contextmanager
def at_twilio(monkeypatch):
    """The stand-in, with the environment of an account that sends by it."""
    monkeypatch.setenv("SMS_DRIVER", "twilio")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name, value in zip(KEYS, (ACCOUNT, TOKEN, SENDER), strict=True):
        monkeypatch.setenv(name, value)
    stand_in = TwilioStandIn()
    stand_in.start()
    monkeypatch.setenv("TWILIO_API_URL", stand_in.url)
    try:
        yield stand_in
    finally:
        stand_in.stop()


def sign(url, form, token=TOKEN):
    text = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return b64encode(hmac.new(token.encode(), text.encode(), "sha1").digest()).decode()


def _error(status, code):
    return _json(
        status,
        {
            "code": code,
            "message": "…",
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        },
    )


def _json(status, data):
    return Response(json.dumps(data), status=status, content_type="application/json")
