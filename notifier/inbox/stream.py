"""The stream of a person's inbox: open where the server can wait, short where it cannot.

Note [two kinds of servers]: under ASGI the answer stays open (``stream_open``). Under WSGI, and on Lambda,
where every open second is paid and nothing leaves before the answer is complete, it tells what is there and
ends; ``retry:`` says when the browser's ``EventSource`` comes back by itself, with the number that it has
reached. The client cannot tell the two apart.
"""

from django.core.handlers.asgi import ASGIRequest
from django.db import transaction
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils.cache import patch_vary_headers

from .. import conf
from .stream_batches import read_batch, read_number, retry_in
from .stream_open import open_stream

CONTENT_TYPE = "text/event-stream"
# nginx keeps an answer back until it has enough of it:
# https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
HEADERS = {"Cache-Control": "private, no-cache, no-transform", "X-Accel-Buffering": "no"}
# Where a page was full, the next one is fetched at once.
MORE_IN_SECONDS = 0.1


# What is read belongs to no transaction of the request, which an open stream would keep for minutes.
@transaction.non_atomic_requests
def stream(request):
    """``text/event-stream`` of the signed-in user's items and unread count, from ``Last-Event-ID`` or
    ``?since=`` on.
    """
    if request.method != "GET":
        return _refused(405, "This is read by GET.", Allow="GET")
    if not request.user.is_authenticated:
        return _refused(401, "Sign in to see your notifications.")
    user_id = request.user.pk
    last = read_number(request.headers.get("Last-Event-ID"))
    if last is None:
        last = read_number(request.GET.get("since"))
    if isinstance(request, ASGIRequest):
        response = StreamingHttpResponse(
            open_stream(user_id, last), content_type=CONTENT_TYPE, headers=HEADERS
        )
    else:
        response = HttpResponse(_whole_answer(user_id, last), content_type=CONTENT_TYPE, headers=HEADERS)
    patch_vary_headers(response, ["Cookie"])
    return response


def _whole_answer(user_id, last):
    batch = read_batch(user_id, last)
    seconds = MORE_IN_SECONDS if batch.more else conf.get("INBOX_RETRY_SECONDS")
    return retry_in(seconds) + batch.text


def _refused(status, why, **headers):
    # `EventSource` does not come back after any of these:
    # https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model
    return JsonResponse(
        {"error": why}, status=status, headers={"Cache-Control": "private, no-cache"} | headers
    )
