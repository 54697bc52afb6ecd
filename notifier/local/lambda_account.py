"""What of Lambda moto lacks: the account's settings, and that a second configuration of a function's
asynchronous calls takes the first one's place.

https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
"""

import json
import os
import re

from moto.awslambda.models import lambda_backends
from moto.core import DEFAULT_ACCOUNT_ID
from werkzeug.wrappers import Response

SETTINGS = re.compile(r"/[\d-]+/account-settings/?$")
EVENT_INVOKE_CONFIG = re.compile(r"/[\d-]+/functions/(?P<name>[^/]+)/event-invoke-config/?$")
# As moto reads it; without it, what an account has by default.
QUOTA, DEFAULT_QUOTA = "MOTO_LAMBDA_CONCURRENCY_QUOTA", 1000


class LambdaAccount:
    """``app`` (moto's) with these operations in front."""

    def __init__(self, app, *, region):
        self._app, self._region = app, region

    def __call__(self, environ, start_response):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method == "GET" and SETTINGS.match(path):
            answer = Response(json.dumps(self._settings()), mimetype="application/json")
            return answer(environ, start_response)
        if method == "PUT" and (asked := EVENT_INVOKE_CONFIG.match(path)):
            for function in self._functions():
                if function.function_name == asked["name"]:
                    function.event_invoke_config.clear()
        return self._app(environ, start_response)

    def _settings(self):
        quota = int(os.environ.get(QUOTA, DEFAULT_QUOTA))
        reserved = sum(int(each.reserved_concurrency or 0) for each in self._functions())
        return {
            "AccountLimit": {
                "ConcurrentExecutions": quota,
                "UnreservedConcurrentExecutions": quota - reserved,
            }
        }

    def _functions(self):
        return list(lambda_backends[DEFAULT_ACCOUNT_ID][self._region].list_functions())
