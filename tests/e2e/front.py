"""Stands before moto: notes who asks what, denies what a role does not allow, and answers what moto
cannot.
"""

import dataclasses

from .calls import DEPLOYER, read_call
from .definitions import find_function
from .denials import denial
from .permissions import needed_permissions
from .policies import allows, policies_of


class Front:
    """``calls`` are all signed requests so far, in the order of their arrival.

    ``lambda_api`` has the first word on Lambda's operations, ``blocked_names`` on SQS's; with
    ``enforce_roles`` a function may only do what its role allows, as on AWS.
    """

    def __init__(self, lambda_api, blocked_names, *, enforce_roles):
        self.calls, self.enforce_roles = [], enforce_roles
        self._lambda_api, self._blocked_names = lambda_api, blocked_names

    def wrap(self, app):
        """``app``, moto's, behind this."""

        def serve(environ, start_response):
            call = read_call(environ)
            response = self._answer(call, environ, app) if call else self._lambda_api.serve_package(environ)
            return (response or app)(environ, start_response)

        return serve

    def _answer(self, call, environ, app):
        needed = needed_permissions(call)
        missing = self._missing(call, needed)
        self.calls.append(dataclasses.replace(call, resource=needed[0].resource, denied=missing is not None))
        if missing is not None:
            return denial(call, _role_of(call.who), missing.action, missing.resource)
        if call.service == "sqs":
            return self._blocked_names.answer(call)
        return self._lambda_api.answer(call, environ, app) if call.service == "lambda" else None

    def _missing(self, call, needed):
        """The first permission that the caller lacks."""
        if not self.enforce_roles or call.who == DEPLOYER:
            return None
        function = find_function(call.who)
        # What a function's code asks comes with the function's name, which Lambda's own calls for it do not:
        # https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
        own = {"lambda:SourceFunctionArn": function.function_arn}
        policies = policies_of(_role_of(call.who))
        return next(
            (each for each in needed if not allows(policies, each.action, each.resource, each.context | own)),
            None,
        )


def _role_of(function_name):
    return find_function(function_name).role.rpartition("/")[2]
