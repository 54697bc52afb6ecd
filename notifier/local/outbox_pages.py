"""The pages of the outbox: what the stand-ins received, to look at and as JSON. Calls ``outbox``."""

from collections import Counter
from dataclasses import asdict

from django.http import Http404, JsonResponse
from django.shortcuts import render
from django.template.loader import select_template
from django.views.decorators.http import require_safe

from notifier.channels import registry

from . import outbox as received

# As many as a person may scroll through; the JSON has all.
MOST_LISTED = 200


# Nothing runs and nothing is fetched. Styles may be inline because a frame with `srcdoc` inherits this
# policy, and mail has no other way to bring its styles; without scripts or outside addresses they can do no
# harm.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action "
    "'none'; frame-ancestors 'none'"
)


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
    return _guarded(render(request, "local/outbox.html", context))


@require_safe
def outbox_json(request):
    """The same messages as a JSON list, oldest first. 404 when no LocalCloud runs in this process."""
    return _guarded(JsonResponse([asdict(message) for message in _messages_or_404()], safe=False))


def _messages_or_404():
    if received.current is None:
        raise Http404("The outbox is there while the local cloud runs in this process.")
    return received.current.read()


def _guarded(response):
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response
