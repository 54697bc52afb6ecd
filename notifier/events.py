"""Records a firing as events, in the caller's own transaction. Next hop: ``notifier.publisher`` rings after the commit."""

import datetime as dt
import json
import logging
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial

from django.db import DatabaseError, connections, router, transaction
from django.db.models import Model, signals as db
from django.utils import timezone

from . import publisher, recipients, signals, snapshot, triggers

logger = logging.getLogger(__name__)

# The first doorbell normally does it; from then on the sweep rings.
UNHEARD_AFTER = dt.timedelta(seconds=60)
# What an event's data may take as JSON. Far above any template's need; it keeps one row from holding a whole table.
MAX_DATA_BYTES = 256 * 1024

# Recording reads objects, which sends signals (post_init) of its own.
_recording = ContextVar("notifier_recording", default=False)
# Where an instance carries what its pre_save is to record once it is saved, and that it is being loaded from a fixture.
_HELD, _LOADED = "_notifier_held", "_notifier_loaded"


def record_firing(registered, sender, kwargs):
    """Record what a firing matched. Never raises into the caller, never breaks the caller's transaction.

    Fixture loading (``raw``) is no event.
    """
    if registered.signal is db.pre_save:
        # From a save that failed.
        kwargs["instance"].__dict__.pop(_HELD, None)
    if _recording.get() or _is_loading(kwargs):
        return
    with _never_raising(registered):
        context = signals.context_of(registered, sender, kwargs)
        if matched := triggers.index.find(registered.name, context, signals.is_creation(kwargs)):
            _record(registered, matched, context, kwargs.get("using"))


def _is_loading(kwargs):
    # Django says it of saves; of a loaded object's m2m_changed, which follows, it does not.
    return kwargs.get("raw") or "pk_set" in kwargs and _LOADED in kwargs["instance"].__dict__


@contextmanager
def _never_raising(registered):
    token = _recording.set(True)
    try:
        yield
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
        created_at=now, due_at=now + UNHEARD_AFTER,
    )  # fmt: skip
    if trigger.shadow:
        # Nobody rings for it, and no fan-out takes it up: it stays what it would have sent.
        event.status, event.due_at = event.Status.SHADOW, None
    try:
        event.data = snapshot.freeze(context, trigger.paths)
        event.plan = [
            step | {"recipients": recipients.freeze_recipients(paths, context, deleting=deleting)}
            if (paths := trigger.recipient_paths.get(step["subscription"]))
            else step
            for step in trigger.plan
        ]
        _bound(event)
    except DatabaseError:
        # In the caller's transaction, PostgreSQL takes no other statement before the savepoint is rolled back.
        raise
    except Exception as error:
        # One trigger's trouble is not another's, and the event shows it to whoever looks.
        logger.exception("Could not read what the trigger %d needs", trigger.pk)
        _fail(event, f"What its templates and audiences name could not be read: {type(error).__name__}. The log has the trace.")
    return event


def _bound(event):
    size = len(json.dumps(event.data, cls=snapshot.Encoder)) if event.data else 0
    if size > MAX_DATA_BYTES:
        _fail(event, f"Its templates read {size} bytes; an event holds {MAX_DATA_BYTES} at most. Let them read less.")


def _fail(event, reason):
    event.data, event.status, event.due_at, event.reason = {}, event.Status.FAILED, None, reason


def _describe(action_object):
    if isinstance(action_object, Model):
        return f"{action_object._meta.label_lower}:{action_object.pk}"[:300]
    if isinstance(action_object, type) and issubclass(action_object, Model):
        return action_object._meta.label_lower
    return ""


def _record(registered, matched, context, caller_alias):
    from .models import Event

    alias = router.db_for_write(Event)
    caller_alias = caller_alias or alias
    with _savepoints(alias, caller_alias):
        deleting = registered.signal in (db.pre_delete, db.post_delete)
        events = [_make_event(trigger, context, deleting=deleting) for trigger in matched]
        if registered.signal is db.pre_save and not _in_transaction(caller_alias):
            # Nothing is saved yet, and no transaction would take the event back with it.
            context["instance"].__dict__[_HELD] = registered, events, alias
        elif caller_alias != alias and _in_transaction(caller_alias):
            # Two databases cannot commit as one: wait for the one that decides.
            transaction.on_commit(partial(_insert_later, registered, events, alias), using=caller_alias)
        else:
            _insert(events, alias)


def note_saved(registered, sender, kwargs):
    """Record what a pre_save outside a transaction held back on the instance: now it is saved. And note what a fixture saves."""
    carried = kwargs["instance"].__dict__
    carried.pop(_LOADED, None)
    if kwargs["raw"]:
        carried[_LOADED] = True
    elif held := carried.pop(_HELD, None):
        _insert_later(*held)


def _insert_later(registered, events, alias):
    with _never_raising(registered), _savepoints(alias):
        _insert(events, alias)


def _insert(events, alias):
    from .models import Event

    if len(events) == 1:
        events[0].save(using=alias, force_insert=True)
    else:
        Event.objects.using(alias).bulk_create(events)
    logger.info("Recorded %d events.", len(events), extra={"event_ids": [event.pk for event in events]})
    publisher.ring_on_commit([event.pk for event in events if event.due_at], using=alias)


@contextmanager
def _savepoints(*aliases):
    """Keep a failed query or INSERT from breaking the caller's transactions; outside one there is nothing to break."""
    with ExitStack() as stack:
        for alias in dict.fromkeys(aliases):
            if _in_transaction(alias):
                stack.enter_context(transaction.atomic(using=alias))
        yield


def _in_transaction(alias):
    return not connections[alias].get_autocommit()
