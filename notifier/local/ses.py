"""The part of SES that moto lacks: the account, event destinations of a configuration set, how SES says that
there is no such set, and the mailbox simulator, whose events go to those destinations. No other mail has
events here.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateConfigurationSetEventDestination.html
https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator
"""

import json
import re
from io import BytesIO
from itertools import chain

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends
from werkzeug.wrappers import Request, Response

from . import simulator

PATH = re.compile(
    r"/v2/email/configuration-sets/(?P<set>[^/]+)(?:/(?P<destinations>event-destinations)(?:/(?P<name>[^/]+))?)?$"
)

ACCOUNT = "/v2/email/account"
SENDING = "/v2/email/outbound-emails"
# An account that may write to everybody begins with 14 a second, which would be this machine's rate as well.
QUOTA = {"Max24HourSend": 50_000.0, "MaxSendRate": 5_000.0}


class Refused(Exception):
    """An answer of SES: its error's code, the HTTP status and a text."""


class EventDestinations:
    """``app`` (moto's) with these operations in front.

    What they keep hangs on moto's own sets, so it goes with them.
    """

    def __init__(self, app, *, region):
        self._app, self._region = app, region

    def __call__(self, environ, start_response):
        if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("GET", ACCOUNT):
            return Response(json.dumps(self._account()), mimetype="application/json")(environ, start_response)
        if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("POST", SENDING):
            return self._send(environ, start_response)
        asked = PATH.match(environ["PATH_INFO"])
        if not asked:
            return self._app(environ, start_response)
        try:
            kept = self._destinations(asked["set"])
            if not asked["destinations"]:
                return self._app(environ, start_response)
            answer = self._answer(Request(environ), kept, asked["name"])
        except Refused as refused:
            code, status, text = refused.args
            answer = Response(
                json.dumps({"message": text}), status=status, headers={"x-amzn-ErrorType": code}
            )
        answer.mimetype = "application/json"
        return answer(environ, start_response)

    def _send(self, environ, start_response):
        """As moto does it; then the simulator's events."""
        request = Request(environ)
        sent = json.loads(request.get_data())
        environ["wsgi.input"] = BytesIO(request.get_data())
        answer = Response.from_app(self._app, environ, buffered=True)
        if answer.status_code == 200 and (name := sent.get("ConfigurationSetName")):
            message_id = json.loads(answer.get_data())["MessageId"]
            self._publish(simulator.events_of(sent, message_id), self._destinations(name))
        return answer(environ, start_response)

    def _publish(self, events, destinations):
        sns = sns_backends[DEFAULT_ACCOUNT_ID][self._region]
        for destination in destinations.values():
            for kind, event in events:
                if destination.get("Enabled") and kind in destination["MatchingEventTypes"]:
                    sns.publish(json.dumps(event), arn=destination["SnsDestination"]["TopicArn"])

    def _account(self):
        # moto itself counts whom the call and the mail's own header name twice.
        mails = ses_backends[DEFAULT_ACCOUNT_ID][self._region].sent_messages
        sent = sum(len(_recipients_of(each)) for each in mails)
        return {
            "EnforcementStatus": "HEALTHY",
            "ProductionAccessEnabled": True,
            "SendingEnabled": True,
            "SendQuota": {**QUOTA, "SentLast24Hours": float(sent)},
        }

    def _destinations(self, name):
        found = ses_backends[DEFAULT_ACCOUNT_ID][self._region].config_sets.get(name)
        if found is None:
            raise Refused("NotFoundException", 404, f"Configuration set <{name}> does not exist.")
        return vars(found).setdefault("local_event_destinations", {})

    def _answer(self, request, kept, name):
        if request.method == "GET":
            return Response(
                json.dumps({"EventDestinations": [{"Name": name, **each} for name, each in kept.items()]})
            )
        described = json.loads(request.get_data() or "{}")
        if request.method == "POST":
            name = described["EventDestinationName"]
            if name in kept:
                raise Refused("AlreadyExistsException", 400, f"Event destination <{name}> already exists.")
        elif name not in kept:
            raise Refused("NotFoundException", 404, f"Event destination <{name}> does not exist.")
        if request.method == "DELETE":
            del kept[name]
        else:
            self._try_topic(described["EventDestination"]["SnsDestination"]["TopicArn"])
            kept[name] = described["EventDestination"]
        return Response("{}")

    def _try_topic(self, arn):
        """SES publishes to the topic once, to see whether it may."""
        topic = sns_backends[DEFAULT_ACCOUNT_ID][self._region].topics.get(arn)
        statements = json.loads(topic.policy)["Statement"] if topic else []
        if not any(each.get("Principal") == {"Service": "ses.amazonaws.com"} for each in statements):
            raise Refused("BadRequestException", 400, f"Could not publish to SNS topic <{arn}>.")


def _recipients_of(mail):
    named = mail.destinations
    return set(chain(*named.values()) if isinstance(named, dict) else named)
