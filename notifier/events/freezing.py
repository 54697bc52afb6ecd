"""Makes the event of one trigger: what its templates and audiences read, frozen.

Called by ``middleware``, which wraps it, and by ``recording``.
"""

import datetime as dt
import json
import logging

from django.db import DatabaseError, router
from django.db.models import Model
from django.utils import timezone

from ..channels.storable import storable
from ..exceptions import DataRefused, ProviderFailed
from ..models import Event
from ..observing import log_failure
from ..rules import providers, signals
from ..templating import keys, snapshot
from ..templating.dead_ends import find_dead_ends
from ..templating.languages import of_the_site
from . import inserting, recipients

logger = logging.getLogger(__name__)

# The first doorbell normally does it; from then on the sweep rings.
FIRST_RING_GRACE = dt.timedelta(seconds=60)
# What an event's data may take as JSON. Far above any template's need; it keeps one row from holding a whole
# table.
MAX_DATA_BYTES = 256 * 1024
# The column's.
MAX_REASON_CHARACTERS = 500


def freeze_event(recording):
    """The event of a ``Recording``, not saved yet.

    What cannot be read makes a failed one; a DatabaseError passes.
    """
    event, context, trigger = _new_event(recording), recording.context, recording.trigger
    try:
        if wrong := _wrong_argument(recording):
            return failed_event(recording, wrong)
        offered = _with_providers(trigger, context)
        event.data = snapshot.freeze(offered, trigger.paths)
        event.dead_ends = find_dead_ends(trigger.paths, event.data, offered, recording.absent) or None
        event.plan = [
            step | {"recipients": recipients.freeze_recipients(paths, context, deleting=recording.deleting)}
            if (paths := trigger.recipient_paths.get(step["subscription"]))
            else step
            for step in trigger.plan
        ]
    except (ProviderFailed, DataRefused) as error:
        return failed_event(recording, str(error), error)
    except DatabaseError:
        raise
    except Exception as error:
        # One trigger's trouble is not another's, and the event shows it.
        log_failure(logger, "Could not read what the trigger %d needs", trigger.pk)
        return failed_event(recording, unreadable(error), error)
    return event


def _wrong_argument(recording):
    """What is wrong with the first argument that templates read and that is not of its type, or blank.

    An audience's path that leads nowhere has a rule of its own, and what a middleware has put in its place is
    that one's affair.
    """
    registered, context = signals.get(recording.verb), recording.context
    if registered is None or not registered.types:
        return ""
    found = (
        registered.wrong_type(name, value)
        for name in recording.trigger.paths
        if (value := context.get(name)) is recording.given.get(name)
    )
    return next(filter(None, found), "")


def _with_providers(trigger, context):
    if not trigger.providers:
        return context
    with of_the_site():
        return providers.extended(context, trigger.providers, trigger.paths, using=router.db_for_write(Event))


def unreadable(error):
    """The reason why an event failed, for people.

    The error's own text may hold what it was given, a name or an address.
    """
    return (
        f"What its templates and audiences name could not be read: {type(error).__name__}. The log "
        "has the trace."
    )


def checked_event(recording, event):
    """``event``, or a failed one where it holds too much or what JSON cannot."""
    # A signal middleware may have changed these.
    event.action_object, event.actor = (
        storable(str(each), keys.MAX_TEXT_CHARACTERS) for each in (event.action_object, event.actor)
    )
    try:
        text = json.dumps(event.data, cls=snapshot.Encoder)
    except (TypeError, ValueError, RecursionError) as error:
        reason = (
            f"Its data cannot be stored as JSON: {type(error).__name__}. A signal middleware has "
            "put it there."
        )
        return failed_event(recording, reason, error)
    if len(text) > MAX_DATA_BYTES:
        _end(
            event,
            event.Status.FAILED,
            f"Its templates read {len(text)} bytes; an event holds {MAX_DATA_BYTES} at most. "
            "Let them read less.",
        )
        return event
    event.__dict__[inserting.WRITTEN] = text
    return event


def failed_event(recording, reason, error=None):
    """An event that says why nothing is sent. It gives the key back: what is mended may be emitted again."""
    try:
        event = _new_event(recording)
    except DatabaseError:
        # Who did it cannot be read either; that it happened is worth more.
        recording.context["actor_object"] = None
        event = _new_event(recording)
    recording.error = error
    _end(event, event.Status.FAILED, reason)
    event.key = None
    return event


def unstorable_event(event, error):
    """A failed event in the place of one that the database has refused."""
    now = timezone.now()
    failed = Event(
        trigger_id=event.trigger_id, verb=event.verb, action_object=event.action_object, actor=event.actor,
        category_id=event.category_id, data={}, plan=[], created_at=now,
    )  # fmt: skip
    reason = f"The database cannot hold what is in it: {type(error).__name__}. The log has the trace."
    _end(failed, Event.Status.FAILED, reason)
    return failed


def vetoed_event(recording, veto):
    """An event that a signal middleware refused; ``str(veto)`` says why."""
    event = _new_event(recording)
    recording.error = veto
    _end(event, event.Status.VETOED, str(veto) or "No reason was given.")
    return event


def _end(event, status, reason):
    event.dead_ends = None
    event.data, event.status, event.due_at, event.reason = (
        {},
        status,
        None,
        storable(reason, MAX_REASON_CHARACTERS),
    )


def _new_event(recording):
    now, trigger = timezone.now(), recording.trigger
    starts_at, expires_at = _times(recording, now)
    event = inserting.new_event(
        trigger_id=trigger.pk, verb=recording.verb, explanation=recording.explanation,
        action_object=_describe(recording.context["action_object"]),
        actor=_describe(recording.context["actor_object"]),
        category_id=trigger.category, lane=trigger.lane, key=recording.key, plan=list(trigger.plan),
        created_at=now, starts_at=starts_at, expires_at=expires_at,
        due_at=starts_at or now + FIRST_RING_GRACE,
    )  # fmt: skip
    if trigger.shadow:
        # Nobody rings for it, and no fan-out takes it up: it stays what it would have sent.
        event.status, event.due_at = event.Status.SHADOW, None
    return event


def _times(recording, now):
    """The time when the event is sent, None for at once, and the one when it expires.

    What ``emit`` says comes before what its trigger says.
    """
    trigger, starts_at, expires_at = recording.trigger, recording.starts_at, recording.expires_at
    if starts_at is None and trigger.delay_minutes:
        starts_at = now + dt.timedelta(minutes=trigger.delay_minutes)
    if starts_at is not None and starts_at <= now:
        starts_at = None
    if expires_at is None and trigger.expires_minutes:
        # In UTC: a time of another zone is added to by the clock on the wall.
        expires_at = (starts_at or now).astimezone(dt.UTC) + dt.timedelta(minutes=trigger.expires_minutes)
    return starts_at, expires_at


def _describe(action_object):
    if isinstance(action_object, Model):
        return keys.object_text(action_object)
    if isinstance(action_object, type) and issubclass(action_object, Model):
        return action_object._meta.label_lower  # type: ignore[attr-defined]  # Django brings no types
    return ""
