"""Records a firing as events, in the caller's own transaction. Next hop: ``notifier.publisher`` rings after the commit."""

import datetime as dt
import json
import logging
from contextlib import nullcontext
from contextvars import ContextVar

from django.db import connections, router, transaction
from django.db.models import Model, signals as db
from django.utils import timezone

from . import audiences, publisher, signals, snapshot, triggers

logger = logging.getLogger(__name__)

# The first doorbell normally does it; from then on the sweep rings.
UNHEARD_AFTER = dt.timedelta(seconds=60)
# What an event's data may take as JSON. Far above any template's need; it keeps one row from holding a whole table.
MAX_DATA_BYTES = 256 * 1024

# Recording reads objects, which sends signals (post_init) of its own.
_recording = ContextVar("notifier_recording", default=False)


def record_firing(registered, sender, kwargs):
    """Record what a firing matched. Never raises into the caller, never breaks the caller's transaction.

    Fixture loading (``raw``) is no event.
    """
    if kwargs.get("raw") or _recording.get():
        return
    token = _recording.set(True)
    try:
        context = signals.context_of(registered, sender, kwargs)
        if matched := triggers.index.find(registered.name, context, signals.is_creation(kwargs)):
            deleting = registered.signal in (db.pre_delete, db.post_delete)
            events = [_make_event(trigger, context, deleting=deleting) for trigger in matched]
            _record(events, kwargs.get("using"))
    except Exception:
        # Whatever is wrong here, the caller's save is worth more; the log has the trace.
        logger.exception("Could not record the signal %s", registered.name)
    finally:
        _recording.reset(token)


def _make_event(trigger, context, *, deleting):
    from .models import Event

    now = timezone.now()
    event = Event(
        trigger_id=trigger.pk, verb=trigger.verb, action_object=_describe(context["action_object"]),
        data=snapshot.freeze(context, trigger.paths), created_at=now, due_at=now + UNHEARD_AFTER,
    )  # fmt: skip
    event.plan = [
        step | {"recipients": audiences.freeze_recipients(paths, context, deleting=deleting)}
        if (paths := trigger.recipient_paths.get(step["subscription"]))
        else step
        for step in trigger.plan
    ]
    _bound(event)
    return event


def _bound(event):
    size = len(json.dumps(event.data, cls=snapshot.Encoder)) if event.data else 0
    if size > MAX_DATA_BYTES:
        event.data, event.status, event.due_at = {}, event.Status.FAILED, None
        event.reason = f"Its templates read {size} bytes; an event holds {MAX_DATA_BYTES} at most. Let them read less."


def _describe(action_object):
    if isinstance(action_object, Model):
        return f"{action_object._meta.label_lower}:{action_object.pk}"[:300]
    if isinstance(action_object, type) and issubclass(action_object, Model):
        return action_object._meta.label_lower
    return ""


def _record(events, caller_alias):
    from .models import Event

    alias = router.db_for_write(Event)
    if caller_alias and caller_alias != alias and connections[caller_alias].in_atomic_block:
        # Two databases cannot commit as one: wait for the one that decides.
        transaction.on_commit(lambda: _insert(events, alias), using=caller_alias)
    else:
        _insert(events, alias)


def _insert(events, alias):
    from .models import Event

    # The savepoint keeps a failed INSERT from breaking the caller's transaction; outside one there is nothing to break.
    with transaction.atomic(using=alias) if connections[alias].in_atomic_block else nullcontext():
        if len(events) == 1:
            events[0].save(using=alias, force_insert=True)
        else:
            Event.objects.using(alias).bulk_create(events)
    publisher.ring_on_commit([event.pk for event in events if event.due_at], using=alias)
