"""The first questions of every endpoint of the inbox, and its refusals: as JSON, and never by a redirect."""

import hashlib
from functools import wraps

from django.http import JsonResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

# Raise it when the same inbox would be answered otherwise than by the last release.
FORMAT_VERSION = 1


class Refused(Exception):
    """An endpoint does not do it: ``code``, an HTTP status, and a sentence for the client's author."""

    def __init__(self, status, text):
        super().__init__(text)
        self.code = status


class _Csrf(CsrfViewMiddleware):
    def _reject(self, request, reason):
        return reason


def endpoint(method):
    """A view for one method, for signed-in users.

    It returns what is to be JSON, or a response; a POST needs the CSRF token.
    """

    def decorate(view):
        # Asked below, where the answer can be JSON.
        @csrf_exempt
        @wraps(view)
        def checked(request, **arguments):
            try:
                _check(request, method)
                found = view(request, **arguments)
                response = (
                    JsonResponse(found, json_dumps_params={"ensure_ascii": False})
                    if isinstance(found, dict)
                    else found
                )
            except Refused as error:
                response = JsonResponse({"error": str(error)}, status=error.code)
                if error.code == 405:
                    response["Allow"] = "GET, HEAD" if method == "GET" else method
                if error.code == 401:
                    # A scheme must be named; browsers ask nobody for one that they do not know.
                    response["WWW-Authenticate"] = "Session"
            response["Cache-Control"] = "private, no-cache"
            patch_vary_headers(response, ["Cookie"])
            return response

        return checked

    return decorate


def _check(request, method):
    if request.method != method and (request.method, method) != ("HEAD", "GET"):
        raise Refused(405, f"Use {method} here.")
    if not request.user.is_authenticated:
        raise Refused(401, "Sign in first.")
    if method == "POST":
        csrf = _Csrf(lambda request: None)
        csrf.process_request(request)
        if reason := csrf.process_view(request, None, (), {}):
            raise Refused(403, f"{reason} Send the CSRF token in the header X-CSRFToken.")
    else:
        # So that a client that only reads so far has one to write with.
        get_token(request)


def unless_known(request, number, query, answer):
    """The result of ``answer()``, with its ETag; or 304 without asking for more, where the client has just
    that.

    The inbox's number stands for all that is in it. The names of categories may be older than that, until the
    next change.
    """
    text = repr((FORMAT_VERSION, str(request.user.pk), number, query))
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = JsonResponse(answer(), json_dumps_params={"ensure_ascii": False})
    response["ETag"] = etag
    return response
