"""Matches a signal's firing with the live triggers.

Called by ``receivers``; calls ``recording``, which makes the events and stores them.
"""

from django.db import connections, router
from django.db.models import signals as db

from ..models import Event
from ..templating import rows
from . import deletions, other_side, recording, reentrancy
from .context import absent_names, context_of, is_creation
from .index import index
from .middleware import Recording
from .savepoints import in_transaction

# Where an instance carries what its pre_save is to record once it is saved, and that it is being loaded from
# a fixture.
_HELD, _LOADED = "_notifier_held", "_notifier_loaded"


def record_firing(registered, sender, kwargs):
    """Record what a firing matched. Never raises into the caller, never breaks the caller's transaction.

    Fixture loading (``raw``) is no event.
    """
    if registered.signal is db.pre_save:
        # From a save that failed.
        kwargs["instance"].__dict__.pop(_HELD, None)
    if reentrancy.is_recording() or registered.about_model and _is_loading(kwargs):
        return
    with reentrancy.never_raising(registered.name), rows.of_one_firing(**_known(registered, kwargs)):
        context, created = context_of(registered, sender, kwargs), is_creation(registered, kwargs)
        matched = index.find(registered.name, context, created)
        deletions.keep_untold(registered, kwargs, matched)
        if matched:
            _record(registered, matched, context, created, kwargs)
        if registered.signal is db.m2m_changed and index.is_about(registered.name, kwargs.get("model")):
            _record_other_side(registered, sender, kwargs)


def _known(registered, kwargs):
    """What the signal says of the row behind its object."""
    return {
        "instance": kwargs.get("instance"),
        "using": kwargs.get("using"),
        "is_unsaved": registered.signal is db.pre_save,
        "is_gone": registered.signal is db.post_delete,
        "update_fields": kwargs.get("update_fields"),
    }


def _is_loading(kwargs):
    # Django says it of saves; of a loaded object's m2m_changed, which follows, it does not.
    return kwargs.get("raw") or "pk_set" in kwargs and _LOADED in kwargs["instance"].__dict__


def recordings_of(registered, matched, context, *, created, using, absent, key=None, times=None):
    """A Recording for each trigger that was matched, with a context of its own."""
    rest = (times or {}) | {
        "created": created,
        "using": using,
        "given": context,
        "absent": absent,
        "key": key,
        "deleting": registered.signal in (db.pre_delete, db.post_delete),
        "explanation": matched.explain() if matched else [],
    }
    return [Recording(trigger=trigger, context=dict(context), **rest) for trigger in matched]


def _aliases(kwargs):
    """The database of events, and the one that the caller writes to."""
    alias, using = router.db_for_write(Event), kwargs.get("using")
    # Of a signal of the project's own, an argument called so may be anything.
    return alias, using if isinstance(using, str) and using in connections else alias


def _record_other_side(registered, sender, kwargs):
    alias, caller = _aliases(kwargs)
    for page in other_side.read_firings(sender, kwargs):
        recordings = []
        for each in page:
            context = context_of(registered, sender, each)
            matched = index.find(registered.name, context, None)
            recordings += recordings_of(
                registered, matched, context, created=None, using=caller, absent=frozenset()
            )
        if recordings:
            recording.record(registered.name, recordings, using=alias, caller=caller)


def _record(registered, matched, context, created, kwargs):
    alias, caller = _aliases(kwargs)
    # Nothing is saved yet, and outside a transaction none would take the event back with it.
    is_held = registered.signal is db.pre_save and not in_transaction(caller)
    recordings = recordings_of(
        registered, matched, context, created=created, using=caller, absent=absent_names(registered, kwargs)
    )
    events = recording.record(registered.name, recordings, using=alias, caller=caller, is_held=is_held)
    if is_held:
        context["instance"].__dict__[_HELD] = registered.name, events, alias


def note_saved(registered, sender, kwargs):
    """Record what a pre_save outside a transaction held back on the instance: now it is saved.

    And note what a fixture saves.
    """
    carried = kwargs["instance"].__dict__
    carried.pop(_LOADED, None)
    if kwargs["raw"]:
        carried[_LOADED] = True
    elif held := carried.pop(_HELD, None):
        recording.insert_held(*held)
