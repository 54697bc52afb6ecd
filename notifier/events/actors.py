"""The actor of an event: the signed-in user of the request, where a signal names nobody. Called by
``context``.
"""

import logging
from contextvars import ContextVar
from functools import partial

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.db import DatabaseError
from django.utils.functional import SimpleLazyObject

from ..observing import log_failure

logger = logging.getLogger(__name__)

_request = ContextVar("notifier_request", default=None)


class ActorMiddleware:
    """Lets events know whose request they come from.

    Goes anywhere after Django's ``AuthenticationMiddleware``.

    It only remembers the request: the session and the user are read when an event or a trigger asks, and
    never otherwise.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request):
        if iscoroutinefunction(self):
            return self._await(request)
        token = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(token)

    async def _await(self, request):
        token = _request.set(request)
        try:
            return await self.get_response(request)
        finally:
            _request.reset(token)


def current_actor():
    """The user of this request, looked up when somebody looks at it; it stands for None where nobody is
    signed in.
    """
    request = _request.get()
    return request and SimpleLazyObject(partial(_user_of, request))


def _user_of(request):
    try:
        user = getattr(request, "user", None)
        return user if getattr(user, "is_authenticated", False) else None
    except DatabaseError:
        # In the caller's transaction, PostgreSQL takes no other statement before the savepoint is rolled
        # back.
        raise
    except Exception:
        # A session store that is down costs an event its actor, not more.
        log_failure(logger, "The signed-in user could not be read")
        return None
