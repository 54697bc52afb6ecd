"""Mobile push as SNS has it, where moto is more lenient or mistaken: sizes, shapes, and endpoints that are
switched on again.
"""

import json
from io import BytesIO
from urllib.parse import parse_qs

from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends
from werkzeug.wrappers import Response

# https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification and
# https://firebase.google.com/docs/cloud-messaging/concept-options
MAX_BYTES = 4096
# As the ARNs of endpoints and the keys of messages have them.
PLATFORMS = ("GCM", "APNS", "APNS_SANDBOX")
NAME = "notifier-local"
ERROR = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code>"
    "<Message>{}</Message></Error></ErrorResponse>"
)


def application_arns(region):
    """The ARNs of the applications that stand for the app on each platform, as ``PUSH_APPLICATIONS`` has
    them.
    """
    return ",".join(f"arn:aws:sns:{region}:{DEFAULT_ACCOUNT_ID}:app/{key}/{NAME}" for key in PLATFORMS)


def make_applications(region):
    for key in PLATFORMS:
        sns_backends[DEFAULT_ACCOUNT_ID][region].create_platform_application(NAME, key, {"Enabled": "true"})


class PushEndpoints:
    """``app`` is moto's; before it stands what SNS refuses, and after it an endpoint's “true” is true."""

    def __init__(self, app, *, region):
        self._app, self._region = app, region

    def __call__(self, environ, start_response):
        form = _form_of(environ)
        is_push = form.get("Action") == "Publish" and ":endpoint/" in form.get("TargetArn", "")
        if is_push and (fault := _fault_of(form)):
            return Response(ERROR.format(fault), status=400, content_type="text/xml")(environ, start_response)
        answer = self._app(environ, start_response)
        if form.get("Action") in ("SetEndpointAttributes", "CreatePlatformEndpoint"):
            for endpoint in sns_backends[DEFAULT_ACCOUNT_ID][self._region].platform_endpoints.values():
                endpoint.attributes["Enabled"] = str(endpoint.attributes["Enabled"]).lower() == "true"
        return answer


def _form_of(environ):
    if environ.get("CONTENT_TYPE", "").partition(";")[0] != "application/x-www-form-urlencoded":
        return {}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(body)
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


def _fault_of(form):
    if form.get("MessageStructure") != "json":
        return ""
    try:
        payloads = json.loads(form["Message"])
        inner = {key: json.loads(text) for key, text in payloads.items() if key != "default"}
    except (ValueError, TypeError):
        return "Invalid parameter: Message Structure - JSON message body failed to parse"
    if "default" not in payloads:
        return "Invalid parameter: Message Structure - No default entry in JSON message body"
    key = form["TargetArn"].split("/")[1]
    if key in payloads and len(payloads[key].encode()) > MAX_BYTES:
        return "Invalid parameter: Message too long"
    if key == "GCM" and key in inner and "message" not in inner[key].get("fcmV1Message", {}):
        return "Invalid parameter: no message of FCM v1"
    return ""


def pushed_ids(region):
    """The ids alone, which cost nothing to read."""
    endpoints = list(sns_backends[DEFAULT_ACCOUNT_ID][region].platform_endpoints.values())
    return [provider_id for endpoint in endpoints for provider_id in list(endpoint.messages)]


def pushed(region):
    """``(key, token, title, text, id)`` of each message that an endpoint took."""
    for endpoint in list(sns_backends[DEFAULT_ACCOUNT_ID][region].platform_endpoints.values()):
        key = endpoint.application.platform
        for provider_id, message in list(endpoint.messages.items()):
            title, text = _words(key, json.loads(json.loads(message)[key]))
            yield key, endpoint.token, title, text, provider_id


def _words(key, payload):
    if key == "GCM":
        shown = payload["fcmV1Message"]["message"]["notification"]
    else:
        shown = payload["aps"]["alert"]
    return shown.get("title", ""), shown["body"]


def forget(region):
    """Forget what was pushed, and every device."""
    sns_backends[DEFAULT_ACCOUNT_ID][region].platform_endpoints.clear()
