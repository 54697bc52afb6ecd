"""How long a delivery took from when it was to go until its provider had it.

A wait that somebody chose is none of it: a time that was asked for, quiet hours, a digest, a pause.
"""

from django.db.models import F
from django.db.models.functions import Coalesce, Greatest

# When it was to go. SQLite's greatest of something and nothing is nothing.
WANTED = Coalesce(
    "wanted_at",
    Greatest(
        "event__created_at",
        Coalesce("event__starts_at", "event__created_at"),
        Coalesce("event__restarted_at", "event__created_at"),
    ),
)
LATENCY = F("finished_at") - WANTED
