"""Every address of the project, with keys of rows that are there, and what its database holds."""

import hashlib
import re

from django.apps import apps

from notifier.models import Delivery, Device, Event, InboxItem
from notifier.people import link_tokens
from tests.support.all_urls import OURS, urlpatterns, walk

# What is no address of a page: it ends the visit, or is Django's own.
LEFT_OUT = re.compile(r"logout/|jsi18n/|\(\?P<url>")
# What any request writes.
NOT_COMPARED = {"sessions.session"}
KEY = re.compile(r"<(?:\w+:)?\w+>")


def addresses(rows):
    """``(address, route)`` of each page, about ``rows`` (model → row)."""
    found = {}
    for route, name, _view in walk(urlpatterns):
        if name.startswith(OURS) or LEFT_OUT.search(route):
            continue
        address = "/" + re.sub(r"\(\?P<\w+>[^)]*\)|[\^$]|\\Z", "", KEY.sub(lambda _: "{}", route))
        found["/" + route] = address.replace("{}", str(_key_for(route, rows)))
    return {address: route for route, address in found.items()}


def _key_for(route, rows):
    if "<" not in route:
        return ""
    recipient, delivery = f"user:{rows[Delivery].recipient.partition(':')[2]}", rows[Delivery].pk
    if "unsubscribe/" in route:
        return link_tokens.sign("unsubscribe", recipient, delivery, rows[Event].category_id, "email")
    if "preferences/" in route:
        return link_tokens.sign("preferences", recipient, delivery)
    if route.startswith("notifications/"):
        return rows[Device if "devices/" in route else InboxItem].pk
    parts = route.split("/")
    if parts[0] == "admin" and len(parts) > 2 and (model := _model(*parts[1:3])) in rows:
        return rows[model].pk
    return 1


def _model(app, name):
    try:
        return apps.get_model(app, name)
    except LookupError:
        return None


def fingerprint(but=()):
    """Model → a digest of all its rows; ``but`` leaves out rows: label → a queryset's `exclude`."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        label = model._meta.label_lower
        if label not in NOT_COMPARED and model._meta.managed and not model._meta.proxy:
            rows = model._base_manager.exclude(**dict(but).get(label, {"pk__in": []})).order_by("pk")
            found[label] = hashlib.sha256(repr(list(rows.values_list())).encode(errors="replace")).digest()
    return found
