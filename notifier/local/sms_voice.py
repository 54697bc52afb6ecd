"""AWS End User Messaging, which moto lacks: what a stack makes of it, and the sending of texts. It refuses
what the service's own description in botocore does not allow, and what AWS refuses besides.

https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/Welcome.html
"""

import json
import re
import time
import uuid
from functools import cache

import botocore.session
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends
from werkzeug.wrappers import Request, Response

SERVICE, TARGET = "pinpoint-sms-voice-v2", "PinpointSMSVoiceV2."
# The phones of its simulator: https://docs.aws.amazon.com/sms-voice/latest/userguide/test-phone-numbers.html
SIMULATED = {
    "+14254147755": ("TEXT_DELIVERED", "DELIVERED", "Message has been accepted by phone"),
    "+14254147167": ("TEXT_UNREACHABLE", "UNREACHABLE", "Phone is currently unreachable/unavailable"),
}
# As moto has it for SNS: who has such a number has opted out.
OPTED_OUT = "99"
ALL = {"ALL", "TEXT_ALL"}


class Refused(Exception):
    """An answer of the service: its error's code, and what else it says."""

    def __init__(self, code, *, status=400, **said):
        super().__init__(code)
        self.code, self.http, self.said = code, status, said


class EndUserMessaging:
    """``app`` (moto's) with this service in front.

    ``tier``, ``spend_limit``, ``pools``, ``numbers`` and ``senders`` are what the account is told to have;
    ``refuse_next(code, status=…, Reason=…)`` makes the next text fail.
    """

    def __init__(self, app, *, region):
        self._app, self._region = app, region
        self.reset()

    def reset(self):
        self.tier, self.spend_limit = "PRODUCTION", 100
        self.pools, self.numbers, self.senders = [], [], []
        self.texts, self.sets, self._refusals, self._refused = [], {}, [], ""

    def refuse_next(self, code, **said):
        self._refusals.append(Refused(code, **said))

    def refuse_all(self, code):
        """Answer every request with an error, until ``reset``."""
        self._refused = code

    def __call__(self, environ, start_response):
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if not target.startswith(TARGET):
            return self._app(environ, start_response)
        operation, asked = target.removeprefix(TARGET), json.loads(Request(environ).get_data() or "{}")
        try:
            if self._refused:
                raise Refused(self._refused)
            _check(_model().operation_model(operation).input_shape, asked)
            answer, status = getattr(self, operation)(**asked), 200
        except Refused as refused:
            answer = {"__type": refused.code, "Message": f"Of {asked}", **refused.said}
            status = refused.http
        response = Response(json.dumps(answer), status=status, content_type="application/x-amz-json-1.0")
        return response(environ, start_response)

    # The stack's

    def CreateConfigurationSet(self, ConfigurationSetName, **_tags):
        if ConfigurationSetName in self.sets:
            raise Refused("ConflictException", Reason="RESOURCE_ALREADY_EXISTS")
        self.sets[ConfigurationSetName] = {}
        return {"ConfigurationSetName": ConfigurationSetName}

    def DescribeConfigurationSets(self, ConfigurationSetNames=(), **_page):
        found = {name: self._set(name) for name in ConfigurationSetNames} or self.sets
        return {
            "ConfigurationSets": [
                {"ConfigurationSetName": name, "EventDestinations": list(kept.values())}
                for name, kept in found.items()
            ]
        }

    def DeleteConfigurationSet(self, ConfigurationSetName):
        self._set(ConfigurationSetName)
        del self.sets[ConfigurationSetName]
        return {}

    def CreateEventDestination(self, ConfigurationSetName, EventDestinationName, **described):
        kept = self._set(ConfigurationSetName)
        if EventDestinationName in kept:
            raise Refused("ConflictException", Reason="RESOURCE_ALREADY_EXISTS")
        kept[EventDestinationName] = {
            "EventDestinationName": EventDestinationName,
            "Enabled": True,
            **described,
        }
        return {}

    def UpdateEventDestination(self, ConfigurationSetName, EventDestinationName, **described):
        self._destination(ConfigurationSetName, EventDestinationName).update(described)
        return {}

    def DeleteEventDestination(self, ConfigurationSetName, EventDestinationName):
        self._destination(ConfigurationSetName, EventDestinationName)
        del self.sets[ConfigurationSetName][EventDestinationName]
        return {}

    def _set(self, name):
        if name not in self.sets:
            raise Refused("ResourceNotFoundException", ResourceType="configuration-set", ResourceId=name)
        # An empty one is one as well.
        return self.sets[name]

    def _destination(self, set_name, name):
        kept = self._set(set_name)
        if name not in kept:
            raise Refused("ResourceNotFoundException", ResourceType="event-destination", ResourceId=name)
        return kept[name]

    # The account's

    def DescribeAccountAttributes(self, **_page):
        return {"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": self.tier}]}

    def DescribeSpendLimits(self, **_page):
        limit = {"EnforcedLimit": self.spend_limit, "MaxLimit": self.spend_limit, "Overridden": False}
        return {"SpendLimits": [{"Name": "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT", **limit}]}

    def DescribePools(self, **_page):
        return {"Pools": self.pools}

    def DescribePhoneNumbers(self, **_page):
        return {"PhoneNumbers": self.numbers}

    def DescribeSenderIds(self, **_page):
        return {"SenderIds": self.senders}

    # The sender's

    def SendTextMessage(self, DestinationPhoneNumber, MessageBody, ConfigurationSetName="", **asked):
        if self._refusals:
            raise self._refusals.pop(0)
        destinations = self._set(ConfigurationSetName).values() if ConfigurationSetName else ()
        if DestinationPhoneNumber.endswith(OPTED_OUT):
            raise Refused("ConflictException", Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT")
        message_id = str(uuid.uuid4())
        sns = sns_backends[DEFAULT_ACCOUNT_ID][self._region]
        # So it stands in the outbox.
        sns.sms_messages[message_id] = (DestinationPhoneNumber, MessageBody)
        self.texts.append({"MessageId": message_id, "To": DestinationPhoneNumber, **asked})
        if simulated := SIMULATED.get(DestinationPhoneNumber):
            event = event_of(*simulated, message_id, DestinationPhoneNumber, asked.get("Context"))
            for each in destinations:
                if each["Enabled"] and {event["eventType"], *ALL} & set(each["MatchingEventTypes"]):
                    sns.publish(json.dumps(event), arn=each["SnsDestination"]["TopicArn"])
        return {"MessageId": message_id}


def event_of(name, status, description, message_id, number, context=None):
    """https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html"""
    now = int(time.time() * 1000)
    return {
        "eventType": name,
        "eventVersion": "1.0",
        "eventTimestamp": now,
        "isFinal": True,
        "originationPhoneNumber": "+12065550152",
        "destinationPhoneNumber": number,
        "isoCountryCode": "US",
        "messageId": message_id,
        "messageRequestTimestamp": now - 300,
        "messageEncoding": "GSM",
        "messageType": "TRANSACTIONAL",
        "messageStatus": status,
        "messageStatusDescription": description,
        **({"context": context} if context else {}),
        "totalMessageParts": 1,
        "totalMessagePrice": 0.00581,
        "totalCarrierFee": 0.003,
    }


def patterns(operation):
    """Those that the service has for what an operation is asked with."""
    members = _model().operation_model(operation).input_shape.members.values()
    return {each.metadata["pattern"] for each in members if "pattern" in each.metadata}


@cache
def _model():
    return botocore.session.Session().get_service_model(SERVICE)


def _check(shape, asked):
    """Raise Refused for what the service's description forbids of a request."""
    for name in shape.required_members:
        if name not in asked:
            raise Refused("ValidationException", Reason="MISSING_PARAMETER", Fields=[{"Name": name}])
    for name, value in asked.items():
        member = shape.members.get(name)
        if member is None:
            raise Refused("ValidationException", Reason="UNSPECIFIED_PARAMETER_NOT_SUPPORTED")
        facts, size = member.metadata, len(value) if isinstance(value, str | list | dict) else 0
        is_short = size < facts.get("min", 0) or size > facts.get("max", size)
        if isinstance(value, str | list | dict) and is_short or not _is_written(value, facts):
            raise Refused("ValidationException", Reason="INVALID_PARAMETER", Fields=[{"Name": name}])


def _is_written(value, facts):
    if not isinstance(value, str):
        return True
    return re.fullmatch(facts.get("pattern", r"[\s\S]*"), value) and value in facts.get("enum", [value])
