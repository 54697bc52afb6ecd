"""Tells Django the client and the host as AWS knows them, not as the request says. Wraps its WSGI
application.
"""

import logging

from django.urls import Resolver404, resolve

from notifier.observing import observed

logger = logging.getLogger(__name__)

# Anybody can send these, and nothing behind here may believe them.
FORGEABLE = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_REAL_IP",
    "HTTP_X_CLIENT_IP",
    "HTTP_X_CLUSTER_CLIENT_IP",
    "HTTP_TRUE_CLIENT_IP",
    "HTTP_CF_CONNECTING_IP",
)
# Of a client whose address AWS does not tell: https://www.rfc-editor.org/rfc/rfc5737
NOBODY = "192.0.2.0"


def behind_lambda(application):
    """``application`` with the client's address and host from the request context that Zappa hands on, and a
    log line a request.

    Without one (tests, ``runserver``) nothing is changed. Behind CloudFront the client is CloudFront's
    server. https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
    """

    def wrapped(environ, start_response):
        if "lambda.event" not in environ:
            return application(environ, start_response)
        known = environ["lambda.event"].get("requestContext") or {}
        for name in FORGEABLE:
            environ.pop(name, None)
        client = known.get("http") or known.get("identity") or {}
        environ["REMOTE_ADDR"] = client.get("sourceIp") or NOBODY
        environ["SERVER_PORT"] = "443"
        if host := known.get("domainName"):
            environ["HTTP_HOST"] = host
        with observed("web", environ.get("lambda.context")):
            return application(environ, _noting(environ, start_response))

    return wrapped


def _noting(environ, start_response):
    """``start_response`` that logs the request: not what was searched for, nor by which person or link."""

    def start(status, headers, exc_info=None):
        path = _route(environ["PATH_INFO"])
        logger.info("%s %s: %s", environ["REQUEST_METHOD"], path, status.partition(" ")[0])
        return start_response(status, headers, exc_info)

    return start


def _route(path):
    """The pattern that answers the path; for a file, and what nothing answers, the path, of which the
    formatter hides what is secret.
    """
    try:
        return f"/{resolve(path).route}"
    except Resolver404:
        return path
