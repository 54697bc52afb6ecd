"""The least of the API that the bell needs. The merge takes the one of branch `inbox` instead."""

import json

from django.http import HttpResponse, JsonResponse
from django.template import engines
from django.views.decorators.csrf import ensure_csrf_cookie

from ..models import InboxItem
from . import items as changes


def as_json(item):
    """The item as JSON's plain values, as the API and the stream tell it."""
    return {
        "id": item.pk,
        "sequence": item.sequence,
        "title": item.title,
        "text": item.text,
        "link": item.link,
        "icon": item.icon,
        "about": item.about,
        "category": item.category and item.category.name,
        **{name: (value := getattr(item, name)) and value.isoformat() for name in ("created_at", "read_at", "archived_at")},
    }


def _state(request):
    return {"unread": changes.unread_of(request.user.pk).count(), "sequence": changes.last_number(request.user.pk)}


def _own(view):
    def guarded(request, *args, **kwargs):
        if not request.user.is_authenticated:
            return JsonResponse({"error": "Sign in."}, status=401)
        return view(request, *args, **kwargs)

    return guarded


@_own
def items(request):
    state, limit = _state(request), int(request.GET.get("limit", 20))
    mine = InboxItem.objects.filter(user=request.user.pk).select_related("category")
    if "since" in request.GET:
        found = list(mine.filter(sequence__gt=int(request.GET["since"])).order_by("sequence")[: limit + 1])
    else:
        found = list(mine.filter(archived_at=None)[: limit + 1])
    more = "more" if len(found) > limit else None
    return JsonResponse(state | {"items": [as_json(item) for item in found[:limit]], "next": more})


@_own
def unread(request):
    return JsonResponse(_state(request))


@_own
def read(request, pk):
    changes.mark_read(request.user.pk, [pk])
    return JsonResponse(as_json(InboxItem.objects.get(user=request.user.pk, pk=pk)))


@_own
def archive(request, pk):
    changes.archive(request.user.pk, [pk])
    return JsonResponse(as_json(InboxItem.objects.get(user=request.user.pk, pk=pk)))


@_own
def read_all(request):
    changes.mark_all_read(request.user.pk, up_to=json.loads(request.body)["up_to"])
    return JsonResponse(_state(request))


@ensure_csrf_cookie
def page(request):
    source = (
        "{% load notifier %}<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        "<title>Inbox</title><body>{% notifier_bell %}</body></html>"
    )
    return HttpResponse(engines["django"].from_string(source).render({}, request))
