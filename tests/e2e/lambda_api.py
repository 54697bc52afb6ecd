"""The operations of the Lambda API that moto cannot do, does not have, or takes when Lambda would not."""

import base64
import json
from functools import partial
from threading import Thread

from moto.awslambda.exceptions import LambdaClientError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends
from werkzeug.wrappers import Response

from notifier.local.cloud import REGION

from .calls import read_body
from .definitions import changing, find_function, plain_name
from .denials import Refused, refusal
from .functions import MOST_EVENT_BYTES, Throttled
from .lambda_checks import CHECKS, mappings, role_refused

PACKAGES = "/packages-of-functions/"
# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
TAIL_BYTES = 4096
CHANGES = {
    "CreateFunction",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "PublishVersion",
    "DeleteFunction",
}


class LambdaApi:
    """``functions`` runs them; ``url`` returns where the service answers. So many first functions are refused
    as IAM has not spread their roles yet: ``slow_roles``.
    """

    def __init__(self, *, functions, url, slow_roles=0):
        self._functions, self._url, self._asynchronous = functions, url, []
        self._slow_roles = slow_roles
        self._own = {
            "Invoke": self._invoke,
            "GetFunction": self._get_function,
            "ListFunctionUrlConfigs": _list_url_configs,
            "ListEventSourceMappings": _list_mappings,
        }

    def answer(self, call, environ, app):
        """The answer to one call of Lambda; None leaves it to moto."""
        try:
            if own := self._own.get(call.operation):
                return own(call, environ)
            if call.operation == "CreateFunction" and self._slow_roles:
                self._slow_roles -= 1
                raise role_refused()
            for check in CHECKS.get(call.operation, ()):
                check(call.parameters)
        except Refused as refused:
            return refusal(refused)
        except LambdaClientError as error:
            return refusal(Refused(error.code, error.error_type, error.message))
        return self._pass_on(call, environ, app)

    def serve_package(self, environ):
        """The zip behind the Location of GetFunction, which is fetched without a signature; None for any
        other request.
        """
        if not environ["PATH_INFO"].startswith(PACKAGES):
            return None
        function = find_function(environ["PATH_INFO"].removeprefix(PACKAGES))
        return Response(function.code_bytes, content_type="application/zip")

    def wait(self):
        """Until the invocations under way for which nobody waits have ended."""
        while self._asynchronous:
            self._asynchronous.pop().join()

    def _pass_on(self, call, environ, app):
        if call.operation == "CreateEventSourceMapping":
            response = Response.from_app(app, environ)
            _keep_moto_from_polling()
            return response
        if call.operation not in CHANGES:
            return None
        with changing:
            response = Response.from_app(app, environ)
        if call.operation == "DeleteFunction" and "Qualifier" not in call.parameters:
            self._functions.forget(call.parameters["FunctionName"])
        return response

    def _invoke(self, call, environ):
        """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
        payload = read_body(environ) or b"{}"
        _check_payload(payload)
        name, qualifier = call.parameters["FunctionName"], call.parameters.get("Qualifier")
        version = str(find_function(name, qualifier).version)
        run = partial(self._functions.invoke, name, payload, qualifier)
        match environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "RequestResponse"):
            case "DryRun":
                return Response(status=204)
            case "Event":
                thread = Thread(target=run, name=f"event for {name}")
                self._asynchronous.append(thread)
                thread.start()
                return Response(status=202)
        try:
            outcome = run()
        except Throttled as throttled:
            raise Refused(429, "TooManyRequestsException", str(throttled)) from throttled
        headers = {"X-Amz-Executed-Version": version, "x-amzn-RequestId": outcome.request_id}
        if outcome.error:
            headers["X-Amz-Function-Error"] = outcome.error
        if environ.get("HTTP_X_AMZ_LOG_TYPE") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(outcome.log.encode()[-TAIL_BYTES:]).decode()
        return Response(outcome.payload, headers=headers, content_type="application/json")

    def _get_function(self, call, environ):
        found = find_function(call.parameters["FunctionName"], call.parameters.get("Qualifier"))
        location = f"{self._url()}{PACKAGES}{found.function_name}:{found.version}"
        return _json({**found.get_code(), "Code": {"RepositoryType": "S3", "Location": location}})


def _check_payload(payload):
    if len(payload) > MOST_EVENT_BYTES:
        text = f"Request must be smaller than {MOST_EVENT_BYTES} bytes for the InvokeFunction operation"
        raise Refused(413, "RequestTooLargeException", text)
    try:
        json.loads(payload)
    except ValueError as error:
        raise Refused(
            400, "InvalidRequestContentException", f"Could not parse request body into json: {error}"
        ) from error


def _list_url_configs(call, environ):
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionUrlConfigs.html"""
    config = find_function(call.parameters["FunctionName"]).url_config
    return _json({"FunctionUrlConfigs": [config.to_dict()] if config else []})


def _list_mappings(call, environ):
    """moto compares the function's name as it was written; AWS knows the function by name and by ARN."""
    name, source = call.parameters.get("FunctionName"), call.parameters.get("EventSourceArn")
    found = mappings(plain_name(name)[0] if name else None)
    return _json(
        {
            "EventSourceMappings": [
                each.get_configuration() for each in found if source in (None, each.event_source_arn)
            ]
        }
    )


def _keep_moto_from_polling():
    """moto would run the function in Docker, inside the call that sends the message; our pollers read the
    queue.
    """
    for queue in list(sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues.values()):
        queue.lambda_event_source_mappings.clear()


def _json(data):
    return Response(json.dumps(data), content_type="application/json")
