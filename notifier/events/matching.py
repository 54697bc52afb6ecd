"""Matches one firing with one trigger, and says why where it does not fit. Called by ``index``."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType
from typing import Any, TypedDict

from django.db import DatabaseError, connections, models, transaction

from ..exceptions import ConditionRefused, DataRefused
from ..observing import log_failure
from ..rules import signals
from ..rules.conditions import Condition, compile_condition
from ..templating import keys, permitted, readable, rows
from .live import LiveTrigger

logger = logging.getLogger(__name__)

# What an event's explanation holds at most; the triggers that matched come first.
MAX_EXPLAINED = 50


class Explained(TypedDict):
    """The result of matching one ``trigger`` (its id): ``because`` is why it did not match, or blank."""

    trigger: int
    name: str
    because: str


class Matched(list):
    """The triggers that a firing matched, and what kept the others from it."""

    _missed: Sequence[tuple[LiveTrigger, Any]] = ()
    _subject: Any = None

    @classmethod
    def among(cls, triggers, context, created):
        """Ask all of ``triggers``. No query, but for what their conditions read of other rows."""
        found, missed = cls(), []
        for trigger in triggers:
            if (mismatch := _mismatch(trigger, context, created)) is None:
                found.append(trigger)
            else:
                missed.append((trigger, mismatch))
        found._missed, found._subject = missed, context.get("action_object")
        return found

    def explain(self) -> list[Explained]:
        """All that matched, then those about the same model that did not."""
        missed = [each for each in self._missed if is_one(self._subject, each[0].model, "")]
        all_of_them = [(trigger, "") for trigger in self] + missed
        return [
            {"trigger": trigger.pk, "name": trigger.name, "because": str(because)}
            for trigger, because in all_of_them[:MAX_EXPLAINED]
        ]


def _mismatch(trigger, context, created):
    """As ``find_mismatch``; what goes wrong with one trigger is no reason to forget the others."""
    try:
        return find_mismatch(trigger, context, created)
    except DatabaseError:
        # In the caller's transaction, PostgreSQL takes no other statement before the savepoint is rolled
        # back.
        raise
    except Exception as error:
        _log_once(trigger.pk, "", type(error).__name__)
        return f"it could not be matched: {type(error).__name__}"


@dataclass(frozen=True)
class FalseCondition:
    """The values that a condition read when it was false; its text is made only if somebody wants it."""

    condition: Condition
    data: dict

    def __str__(self):
        values = self.condition.describe(self.data)
        return f"condition is false: {values}" if values else "condition is false"


def matches(trigger, context, created):
    """Tell whether a firing with ``context`` (see ``context.context_of``) is one of ``trigger``'s.

    ``created`` is True or False for a save, None for any other signal. No query, but for what its condition
    reads of other rows.
    """
    return find_mismatch(trigger, context, created) is None


def explain_match(trigger, context, created):
    """The first reason why ``trigger`` (live, or its row) does not take such a firing, in plain English; ""
    where it does.

    ``context`` may be put together without a signal: ``{"instance": order, "action_object": order}``. Whether
    the trigger is switched on is not looked at.
    """
    return str(_mismatch(trigger, context, created) or "")


def find_mismatch(trigger, context, created):
    """The first thing that keeps a firing from matching, or None where it matches; its ``str`` is for
    people.
    """
    actor = context.get("actor_object")
    if why := _not_permitted(trigger, context.get("action_object")):
        return why
    if trigger.on != "any" and created is not None and created != (trigger.on == "created"):
        return "only when created" if trigger.on == "created" else "only when changed"
    if trigger.target and str(context.get("target")) != trigger.target:
        return f"target is not “{trigger.target}”"
    if not is_one(context.get("action_object"), trigger.model, trigger.object_pk):
        if is_one(context.get("action_object"), trigger.model, ""):
            return "another instance"
        return _wrong_object(trigger, context) or "another model"
    if not is_one(actor, trigger.actor_model, trigger.actor_pk):
        return "no actor is known" if isinstance(actor, NoneType) else "another actor"
    return _condition_mismatch(trigger, context) if trigger.condition or _problem_of(trigger) else None


def _not_permitted(trigger, subject):
    """Why no event may be about ``subject``, or blank. One of no named model is recorded without it."""
    kind = subject if isinstance(subject, type) else subject.__class__
    if permitted.is_own(kind):
        return "it is a row of Notifier itself"
    return "no event may hold anything of it" if trigger.model and permitted.is_never(kind) else ""


def _problem_of(trigger):
    return getattr(trigger, "condition_problem", "")


def _condition_mismatch(trigger, context):
    if problem := _problem_of(trigger):
        return f"its condition cannot be used: {problem}"
    try:
        condition = (
            compile_condition(trigger.condition) if isinstance(trigger.condition, str) else trigger.condition
        )
        if "previous" in condition.paths and "previous" not in context:
            return "its condition is about a save, and what was before it is not known"
        # A query that fails must not break the caller's transaction.
        with ExitStack() as stack:
            for connection in _open_transactions() if _may_query(condition, trigger, context) else ():
                stack.enter_context(transaction.atomic(using=connection.alias))
            if wrong := _wrong_argument(trigger, condition, context):
                _log_wrong(trigger.pk, wrong)
                return f"its condition could not be evaluated: {wrong}"
            data = condition.freeze(context)
        return None if condition.holds(data) else FalseCondition(condition, data)
    except ConditionRefused as error:
        return f"its condition cannot be used: {error}"
    except DataRefused as error:
        return f"its condition could not be evaluated: {error}"
    except Exception as error:
        _log_once(trigger.pk, condition.source, type(error).__name__)
        return f"its condition could not be evaluated: {type(error).__name__}"


def _wrong_object(trigger, context):
    """What is wrong with the argument that the signal is about, where it is not of its type, or blank."""
    registered = signals.get(trigger.verb)
    if registered is None or not registered.object:
        return ""
    if wrong := registered.wrong_type(registered.object, context.get(registered.object)):
        _log_wrong(trigger.pk, wrong)
    return wrong


def _wrong_argument(trigger, condition, context):
    registered = signals.get(trigger.verb)
    found = (registered.wrong_type(name, context.get(name)) for name in condition.paths) if registered else ()
    return next(filter(None, found), "")


def _may_query(condition, trigger, context):
    return condition.reaches_out(trigger.model) or any(
        rows.asks(context.get(name), branch) for name, branch in condition.paths.items()
    )


def _open_transactions():
    opened = (each for each in connections.all(initialized_only=True) if each.connection is not None)
    return [each for each in opened if not each.get_autocommit()]


@lru_cache(maxsize=1024)
def _log_once(pk, source, error):
    log_failure(
        logger,
        "The condition of the trigger %d cannot be evaluated, and it does not match.",
        pk,
        level=logging.WARNING,
    )


@lru_cache(maxsize=1024)
def _log_wrong(pk, wrong):
    logger.warning("The trigger %d does not match: %s", pk, wrong)


def is_one(found, label, pk):
    """Whether ``found`` (an instance, a model, or anything) is of the model ``label`` and, if given, has the
    key ``pk``.
    """
    if not label:
        return True
    model = readable.find_model(label)
    # `__class__`, not type(): the user of a request is a lazy object that passes itself off as a user by it.
    kind = found if isinstance(found, type) else found.__class__
    if model is None or not issubclass(kind, model):
        return False
    return not pk or isinstance(found, models.Model) and keys.is_key(model, pk, found)
