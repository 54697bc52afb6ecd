"""Pauses: a channel, a trigger or everything is not sent for the time being.

``deliveries.holding`` holds and releases.
"""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from ..models import Event, Pause, Trigger
from ..templating import keys

EVERYTHING = "everything"
# The kind of scope that a channel's budget pauses; see ``budgets``.
BUDGET = "budget"


def scope_of(*, channel="", trigger=None):
    """The scope of a channel's name or of a trigger's key; of neither, everything."""
    if channel:
        return f"channel:{channel}"
    return EVERYTHING if trigger is None else f"trigger:{trigger}"


def pause(scope, *, reason="", by=""):
    """Pause ``scope`` from the next claim on, in every function. Returns ``(Pause, whether it is new)``.

    What is being sent at this moment is sent.
    """
    values = {"reason": reason[:200], "paused_by": by[:150]}
    return Pause.objects.get_or_create(scope=scope, defaults=values)


@transaction.atomic
def resume(pk):
    """End a pause: the sweep lets go what it has held, oldest first.

    Returns the Pause that was, or None where somebody was faster.
    """
    # Waits for a transaction that is holding something because of it, so that this is released too. See note
    # [one row] in `holding`.
    found = Pause.objects.select_for_update().filter(pk=pk).first()
    return found if found and Pause.objects.filter(pk=pk).delete()[0] else None


class Scopes:
    """The scopes of some pauses, as filters of what they cover. One that names no key covers nothing."""

    def __init__(self, scopes):
        self.everything = EVERYTHING in scopes
        self.channels = [name for kind, name in self._split(scopes) if kind in ("channel", BUDGET)]
        named = (keys.find_key(Trigger, key) for kind, key in self._split(scopes) if kind == "trigger")
        self.triggers = [key for key in named if key is not None]

    @staticmethod
    def _split(scopes):
        return [scope.split(":", 1) for scope in scopes if ":" in scope]

    def of_events(self):
        """A filter of the events that they cover; None for all."""
        return None if self.everything else Q(trigger_id__in=self.triggers)

    def of_deliveries(self):
        """A filter of the deliveries that they cover; None for all."""
        if self.everything:
            return None
        covered = Q(channel__in=self.channels)
        if self.triggers:
            # A look at each delivery's own event: a list of all events of a trigger may be too long to keep,
            # and is read again for each.
            covered |= Q(Exists(Event.objects.filter(pk=OuterRef("event_id"), trigger_id__in=self.triggers)))
        return covered


def read_scopes(*, lock=False):
    """The Scopes that are paused now.

    ``lock``: nobody ends one of them before the caller's transaction is over.
    """
    rows = Pause.objects.order_by("pk")
    return Scopes((rows.select_for_update() if lock else rows).values_list("scope", flat=True))


def pauses_of_event():
    """A condition for an UPDATE of events: that something pauses it."""
    scope = Concat(Value("trigger:"), Cast(OuterRef("trigger_id"), Pause._meta.get_field("scope")))
    return Exists(Pause.objects.filter(Q(scope=EVERYTHING) | Q(scope=scope)))
