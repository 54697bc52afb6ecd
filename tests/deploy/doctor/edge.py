"""The outermost edge of a deployed account: moto, with what moto does not know, cannot run or would always
allow.
"""

import json
from contextlib import closing
from io import BytesIO
from threading import Event

from django.db import connection
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.wrappers import Request, Response

from notifier.deploy.doctor import here
from notifier.local.lambda_account import LambdaAccount
from notifier.local.server import LoopbackServer
from notifier.local.ses import EventDestinations
from notifier.local.sms_voice import EndUserMessaging
from tests.support.patience import PATIENCE_SECONDS

# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
ACCOUNT = {
    "DedicatedIpAutoWarmupEnabled": False,
    "EnforcementStatus": "HEALTHY",
    "ProductionAccessEnabled": True,
    "SendingEnabled": True,
    "SendQuota": {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 12.0},
}
# https://docs.aws.amazon.com/sns/latest/api/API_GetSMSSandboxAccountStatus.html
SANDBOX = """<GetSMSSandboxAccountStatusResponse xmlns="https://sns.amazonaws.com/doc/2010-03-31/">
<GetSMSSandboxAccountStatusResult><IsInSandbox>{}</IsInSandbox></GetSMSSandboxAccountStatusResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetSMSSandboxAccountStatusResponse>"""
DENIED_XML = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
    "<Message>no</Message></Error></ErrorResponse>"
)


class Edge(LoopbackServer):
    """``account`` and ``sms_sandbox`` are what SES and SNS answer; ``denied`` and ``held`` hold parts of
    calls' names.

    A call's name is its target, its action, or its method and path. ``web(event)`` is what invoking a
    function does.
    """

    def __init__(self, *, region):
        self.account, self.sms_sandbox = {**ACCOUNT, "SendQuota": {**ACCOUNT["SendQuota"]}}, False
        self.denied, self.held, self.released = set(), set(), Event()
        self.web = lambda event: here.report(event, None)
        moto = DomainDispatcherApplication(create_backend_app)
        for part in (EventDestinations, LambdaAccount):
            moto = part(moto, region=region)
        self.sms_voice = self._moto = EndUserMessaging(moto, region=region)
        super().__init__(self._answer, name="The edge of AWS", request_handler=MotoRequestHandler)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info):
        self.released.set()
        self.stop()

    def _answer(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        name = _name_of(Request(environ), body)
        if any(part in name for part in self.held):
            self.released.wait(PATIENCE_SECONDS)
        environ["wsgi.input"] = BytesIO(body)
        return (self._own(name, body) or self._moto)(environ, start_response)

    def _own(self, name, body):
        if any(part in name for part in self.denied):
            return _denial(name)
        if name == "GET /v2/email/account":
            return _json(self.account)
        if name == "GetSMSSandboxAccountStatus":
            return Response(SANDBOX.format(str(self.sms_sandbox).lower()), content_type="text/xml")
        if name.endswith("/invocations"):
            return self._invoke(json.loads(body))
        return None

    def _invoke(self, event):
        """As Zappa's handler runs a command, in a thread of this process."""
        try:
            with closing(connection):
                return _json(self.web(event))
        except Exception as failure:  # as Lambda tells of one
            told = {"errorType": type(failure).__name__, "errorMessage": str(failure)}
            return _json(told, headers={"X-Amz-Function-Error": "Unhandled"})


def _name_of(request, body):
    if target := request.headers.get("X-Amz-Target"):
        return target
    if b"Action=" in body:
        return Request.from_values(
            data=body, method="POST", content_type="application/x-www-form-urlencoded"
        ).form["Action"]
    return f"{request.method} {request.path}"


def _denial(name):
    if "." in name or "/" in name:
        return _json(
            {"__type": "AccessDeniedException", "message": "no"},
            status=403,
            headers={"X-Amzn-ErrorType": "AccessDeniedException"},
        )
    return Response(DENIED_XML, status=403, content_type="text/xml")


def _json(data, **options):
    return Response(json.dumps(data), content_type="application/json", **options)
