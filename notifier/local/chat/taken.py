"""What every service of the stand-in says: that it has taken a message, or an answer that it has not."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from werkzeug.wrappers import Response

from .marks import Shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A message that the service shows as ``shown``, in ``room``; ``answer`` gives its answer for an id."""

    room: str
    shown: Shown
    answer: Callable[[str], Response]
    title: str = ""
    more_calls: tuple[str, ...] = field(default=())


def said(status, data, **headers):
    """An answer in JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(json.dumps(data), status=status, headers=named, content_type="application/json")


def words(status, text):
    """An answer in words."""
    return Response(text, status=status, content_type="text/plain")


def document_of(request):
    """The JSON object of a request; an empty one where it has none."""
    found = request.get_json(silent=True, force=True)
    return found if isinstance(found, dict) else {}
