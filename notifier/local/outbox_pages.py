"""The pages of the outbox: what the stand-ins received, to look at and as JSON. Calls ``outbox``."""

from collections import Counter
from dataclasses import asdict

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import select_template
from django.views.decorators.http import require_safe

from notifier.channels import registry
from notifier.page_headers import CACHE, DATA, NO_REFERRER, NO_STORE, REFERRER, guarded, policy

from . import outbox as received

# As many as a person may scroll through; the JSON has all.
MOST_LISTED = 200


# Its list and its frame of a mail are of this site; nothing runs and nothing else is fetched.
OUTBOX = policy(style_src="'self'", img_src="'self' data:", frame_src="'self'")
# Mail has no other way to bring its styles than inline. In a sandbox, without scripts or outside addresses,
# they can do no harm, also where the frame's address is opened by itself.
MAIL = policy(style_src="'unsafe-inline'", img_src="data:", frame_ancestors="'self'", sandbox="")
KEPT_BY_NOBODY = {CACHE: NO_STORE, REFERRER: NO_REFERRER}


@guarded(OUTBOX, KEPT_BY_NOBODY)
@require_safe
def outbox(request):
    """The page.

    ``?channel=`` filters the list, ``?message=`` names the opened one by ``order``, ``?part=text`` its part.

    404 when no LocalCloud runs in this process.
    """
    messages = _messages_or_404()
    channel, part = request.GET.get("channel", ""), request.GET.get("part", "")
    listed = [message for message in reversed(messages) if channel in ("", message.channel)]
    chosen = {str(message.order): message for message in listed}.get(request.GET.get("message", ""))
    opened = chosen or next(iter(listed), None)
    counted = Counter(message.channel for message in messages)
    tabs = [
        ("", "All", len(messages)),
        *((name, registry.label(name), counted[name]) for name in sorted(counted)),
    ]
    context = {
        "messages": listed[:MOST_LISTED],
        "older": max(0, len(listed) - MOST_LISTED),
        "opened": opened,
        # What has no page of its own is shown as a note.
        "page": opened and select_template([f"local/{opened.channel}.html", "local/note.html"]),
        # On a small screen the list and the message are two pages, and an address that names none is the
        # list.
        "is_chosen": chosen is not None,
        "channel": channel,
        "part": "text" if opened and (part == "text" or not opened.html) else "html",
        "tabs": tabs,
    }
    return render(request, "local/outbox.html", context)


@guarded(DATA, KEPT_BY_NOBODY)
@require_safe
def outbox_json(request):
    """The same messages as a JSON list, oldest first. 404 when no LocalCloud runs in this process."""
    return JsonResponse([asdict(message) for message in _messages_or_404()], safe=False)


@guarded(MAIL, KEPT_BY_NOBODY | {"X-Frame-Options": "SAMEORIGIN"})
@require_safe
def mail(request, order):
    """A mail's HTML, for the page's frame. 404 where there is none."""
    html = next((message.html for message in _messages_or_404() if message.order == order), "")
    if not html:
        raise Http404("There is no such mail.")
    return HttpResponse(html)


def _messages_or_404():
    if received.current is None:
        raise Http404("The outbox is there while the local cloud runs in this process.")
    return received.current.read()
