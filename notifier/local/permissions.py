"""A Lambda permission's conditions for function URLs, in moto: it keeps the request's words, AWS makes
conditions of them.

https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
"""

import re

from moto.awslambda.models import lambda_backends
from moto.core import DEFAULT_ACCOUNT_ID

PATH = re.compile(r"/[\d-]+/functions/.+/policy/?$")


class UrlConditions:
    """``app`` is moto's; statements that it has added are given the conditions that AWS's have."""

    def __init__(self, app, *, region):
        self._app, self._region = app, region

    def __call__(self, environ, start_response):
        answer = self._app(environ, start_response)
        if environ["REQUEST_METHOD"] == "POST" and PATH.match(environ["PATH_INFO"]):
            for function in lambda_backends[DEFAULT_ACCOUNT_ID][self._region].list_functions():
                for statement in function.policy.statements:
                    _set_conditions(statement)
        return answer


def _set_conditions(statement):
    if statement.pop("InvokedViaFunctionUrl", False):
        statement.setdefault("Condition", {})["Bool"] = {"lambda:InvokedViaFunctionUrl": "true"}
    if kind := statement.pop("FunctionUrlAuthType", None):
        statement.setdefault("Condition", {})["StringEquals"] = {"lambda:FunctionUrlAuthType": kind}
