"""The inbox's API as an OpenAPI document, which it serves itself.

https://spec.openapis.org/oas/v3.1.1.html
"""

from django.conf import settings
from django.http import JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from .listing import DEFAULT_ITEMS, LARGEST, MOST_ITEMS

NUMBER = {"type": "integer", "minimum": 0, "maximum": LARGEST}
TIME = {"type": "string", "format": "date-time"}
TIME_OR_NULL = {"type": ["string", "null"], "format": "date-time"}
ITEM = {
    "id": {**NUMBER, "minimum": 1},
    "sequence": {
        **NUMBER,
        "description": "The inbox's number when the item changed last: new, read or archived.",
    },
    "title": {"type": "string"},
    "text": {"type": "string"},
    "link": {"type": "string", "description": "A path of the site or an http(s) address; blank for none."},
    "icon": {"type": "string", "description": "A sign, or the address of a small picture; blank for none."},
    "about": {
        "type": "string",
        "description": "The object that it is about, as app_label.model:key; blank for none.",
    },
    "category": {"type": ["string", "null"], "description": "The category's name."},
    "created_at": TIME,
    "read_at": TIME_OR_NULL,
    "archived_at": TIME_OR_NULL,
}
STANDING = {
    "unread": {**NUMBER, "description": "How many items are neither read nor archived."},
    "sequence": {
        **NUMBER,
        "description": "What this answer knows up to. Ask with since=… for what comes after.",
    },
}
LIST = {
    "items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
    "next": {"type": ["string", "null"]},
    **STANDING,
}
ERRORS = {
    "400": "What was sent cannot be understood; the error says what is wrong.",
    "401": "Nobody is signed in. Nothing is redirected.",
    "403": "The CSRF token is missing or wrong.",
    "404": "There is no such item in this person's inbox, whether or not there is one in another's.",
    "405": "Another method is to be used; the header Allow names it.",
}
TEXT_HEADER = {"schema": {"type": "string"}, "required": True}
EVERY_ANSWER = {"Cache-Control": TEXT_HEADER, "Vary": TEXT_HEADER}
HEADERS_OF_ERRORS = {"401": {"WWW-Authenticate": TEXT_HEADER}, "405": {"Allow": TEXT_HEADER}}


def _object(properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _answer(description, schema, headers=()):
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "headers": {**EVERY_ANSWER, **dict(headers)}, "content": content}


def _errors(*statuses):
    return {each: _answer(ERRORS[each], "Error", HEADERS_OF_ERRORS.get(each, {})) for each in statuses}


def _parameter(name, description, schema, where="query"):
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": schema,
    }


IF_NONE_MATCH = _parameter("If-None-Match", "The ETag of the last answer.", {"type": "string"}, "header")
QUERY = [
    _parameter(
        "limit",
        "How many items.",
        {"type": "integer", "minimum": 1, "maximum": MOST_ITEMS, "default": DEFAULT_ITEMS},
    ),
    _parameter(
        "cursor",
        "“next” of an answer, for the page after it. It means nothing by itself.",
        {"type": "string"},
    ),
    _parameter(
        "since",
        "Only what has changed after this number: in that order, archived items as well. Not with unread.",
        NUMBER,
    ),
    _parameter(
        "unread", "1: only what is not read.", {"type": "integer", "minimum": 0, "maximum": 1, "default": 0}
    ),
]


def _reading(name, summary, schema, parameters=(), errors=()):
    same = {"description": "Nothing has changed.", "headers": {**EVERY_ANSWER, "ETag": TEXT_HEADER}}
    answers = {
        "200": _answer("As it is now.", schema, {"ETag": TEXT_HEADER}),
        "304": same,
        **_errors(*errors, "401", "405"),
    }
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": [*parameters, IF_NONE_MATCH],
            "responses": answers,
        }
    }


def _writing(name, summary, schema, errors=(), **more):
    answers = {"200": _answer("As it is now.", schema), **_errors(*errors, "401", "403", "405")}
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "security": [{"session": [], "csrf": []}],
            "responses": answers,
        }
        | more
    }


def _stream():
    text = {"schema": {"type": "string"}}
    last = _parameter(
        "Last-Event-ID",
        "The id of the last event that came. Browsers send it by themselves.",
        {"type": "string"},
        "header",
    )
    answers = {
        "200": {"description": "Events, as they come.", "content": {"text/event-stream": text}},
        **_errors("401", "405"),
    }
    return {
        "get": {
            "operationId": "stream",
            "summary": "Changes as they happen.",
            "parameters": [last],
            "responses": answers,
        }
    }


KEY = {"parameters": [_parameter("key", "The item's id.", {"type": "string", "pattern": "^[0-9]+$"}, "path")]}
UP_TO = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/UpTo"}}}}
ANY_OBJECT = {"application/json": {"schema": {"type": "object"}}}
# By the address below where the inbox is.
PATHS = {
    "": _reading("list", "Items, newest first.", "List", QUERY, ["400"]),
    "unread/": _reading("count", "How many are unread.", "Standing"),
    "read/": _writing(
        "read_all", "Mark as read what came up to a number.", "Standing", ["400"], requestBody=UP_TO
    ),
    "{key}/read/": KEY | _writing("read", "Mark an item as read.", "Item", ["404"]),
    "{key}/archive/": KEY | _writing("archive", "Take an item out of the list.", "Item", ["404"]),
    "stream/": _stream(),
    "openapi.json": {"get": {
        "operationId": "describe", "summary": "This document.", "security": [],
        "responses": {"200": {"description": "OpenAPI 3.1.", "content": ANY_OBJECT}},
    }},
}  # fmt: skip


def _schemas():
    found = {
        "Item": _object(ITEM),
        "List": _object(LIST),
        "Standing": _object(STANDING),
        "Error": _object({"error": {"type": "string"}}),
    }
    return found | {"UpTo": {"type": "object", "properties": {"up_to": NUMBER}, "required": ["up_to"]}}


def _security_schemes():
    header = settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-").title()
    return {
        "session": {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME},
        "csrf": {"type": "apiKey", "in": "header", "name": header},
    }


def describe(root):
    """The document, for an inbox whose list is at ``root``."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Inbox",
            "version": "1",
            "description": "The signed-in person's notifications, and nobody else's.",
        },
        "servers": [{"url": "/"}],
        "security": [{"session": []}],
        "paths": {f"{root}{path}": operations for path, operations in PATHS.items()},
        "components": {"schemas": _schemas(), "securitySchemes": _security_schemes()},
    }


@require_safe
def document(request):
    """Nothing in it is anybody's: it is there without signing in."""
    return JsonResponse(describe(reverse("notifier:inbox-list")))
