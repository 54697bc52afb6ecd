"""One call of ``emit``, checked, matched and recorded as its signal would be."""

import datetime as dt

from django.db import models, router
from django.db.models import signals as db
from django.utils import timezone

from ..channels.storable import is_storable
from ..exceptions import EmitError
from ..models import Event
from ..rules import signals
from ..rules.arguments import STANDARD_NAMES
from ..templating import permitted, rows
from . import bulk_pages, firings, recording, reentrancy, silent_writes
from .context import absent_names, context_of
from .index import index, rules_connection

# The column's.
MAX_KEY_CHARACTERS = 200
# Their triggers ask whether it was a creation.
ABOUT_SAVES = (db.pre_save, db.post_save)


def _checked_key(key):
    if key is None:
        return None
    key = str(key)
    if not is_storable(key):
        raise EmitError(f"A key is text that a database can hold; this one is not: {key[:50]!r}.")
    if not key or len(key) > MAX_KEY_CHARACTERS:
        raise EmitError(
            f"A key has 1 to {MAX_KEY_CHARACTERS} characters; this one has {len(key)}: {key[:50]!r}."
        )
    return key


def _times(at, expires):
    """``starts_at`` and ``expires_at`` of a Recording. EmitError for times that mean nothing."""
    for name, value in ("at", at), ("expires", expires):
        allowed = (dt.datetime,) if name == "at" else (dt.datetime, dt.timedelta)
        if value is not None and not isinstance(value, allowed):
            kinds = " or a timedelta" if name == "expires" else ""
            raise EmitError(
                f"{name} is {type(value).__name__}. Give it a datetime with a time "
                f"zone{kinds}, as of timezone.now()."
            )
        if isinstance(value, dt.datetime) and timezone.is_naive(value):
            raise EmitError(
                f"{name} has no time zone, so nobody knows when that is. Write {name}=timezone.make_aware(…)."
            )
    try:
        # Two times of one zone are compared, and added to, by the clock on the wall, which can be put back.
        at, expires = (
            value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else value for value in (at, expires)
        )
        if isinstance(expires, dt.timedelta):
            expires = max(at or timezone.now(), timezone.now()) + expires
    except OverflowError:
        raise EmitError("at or expires is in a year that no calendar of Python's has.") from None
    if at and expires and expires <= at and at > timezone.now():
        raise EmitError("It would expire before it is sent: let expires be later than at.")
    return {"starts_at": at, "expires_at": expires}


class Emission:
    """One call of ``emit`` or ``emit_bulk``, checked: the signal, and what is the same for all its objects.

    Raises EmitError.
    """

    def __init__(
        self, verb, *, sender, actor, target, created, args, argument="instance", at=None, expires=None
    ):
        self.verb, self.sender, self.argument = verb, sender, argument
        signal = signals.get(verb)
        if signal is None:
            raise EmitError(f"No signal is registered as “{verb}”. Known: {', '.join(signals.names())}.")
        self.signal = signal
        if argument == "instance" and "instance" not in signal.args and signal.object:
            # What it is about has a name of its own.
            self.argument = signal.own_name(signal.object)
        if reentrancy.is_recording():
            raise EmitError(
                f"“{verb}” was emitted while an event is being recorded. Emit from a receiver "
                "of event_recorded instead."
            )
        self.created, self.times = created, _times(at, expires)
        args = {self.signal.own_name(name): value for name, value in args.items()}
        self._check_arguments(args)
        self._check_created()
        named = {"actor_object": actor, "target": target}
        self.kwargs = args | {name: value for name, value in named.items() if value is not None}
        self._check_types(self.kwargs)
        if "created" in self.signal.args:
            self.kwargs["created"] = created
            # A signal of the project's own may call something else so.
            self.created = created if isinstance(created, bool) else None
        # The first connection loads the rules; what kept it from doing so is said here.
        rules_connection().ensure_connection()
        index.load_first()

    def _check_arguments(self, args):
        own = map(self.signal.own_name, self.signal.args)
        allowed = {*own, "action_object"} - {"instance", "created", "using"}
        given = args.keys() | ({self.argument} - {"instance"})
        if unknown := sorted(given - allowed):
            known = ", ".join(sorted(allowed)) or "none"
            raise EmitError(f"The signal {self.verb} has no argument {', '.join(unknown)}. It has: {known}.")

    def _check_types(self, kwargs):
        names = {*self.signal.args, *STANDARD_NAMES}
        found = {name: kwargs[own] for name in names if (own := self.signal.own_name(name)) in kwargs}
        if wrong := next(filter(None, (self.signal.wrong_type(*each) for each in found.items())), ""):
            raise EmitError(wrong)

    def _check_created(self):
        is_about_save = self.signal.signal in ABOUT_SAVES
        if is_about_save and self.created is None:
            raise EmitError(f"Say whether {self.verb} is about a new object: created=True or created=False.")
        if self.created is not None and not is_about_save and "created" not in self.signal.args:
            raise EmitError(f"The signal {self.verb} is not about a save: leave out created.")

    def _check_own(self, model):
        if permitted.is_own(model):
            raise EmitError(permitted.refusal(model))

    def check_all(self, objects, model):
        """Raise EmitError where one of a list, or a queryset's ``model``, is not what the signal needs."""
        if isinstance(objects, list | tuple):
            for instance in objects:
                self.check_object(instance)
            return
        self._check_own(model)
        wanted = self.signal.types.get(self.signal.read_name(self.argument))
        if wanted and not (wanted.model and issubclass(model, wanted.model)):
            raise EmitError(
                f"These are objects of {model.__name__}. The signal {self.verb} is registered with {wanted} "
                f"as its argument {self.argument}."
            )

    def check_object(self, instance):
        """Raise EmitError where the signal needs an object and ``instance`` is none."""
        if instance is not None and not isinstance(instance, models.Model):
            raise EmitError(f"The instance is {type(instance).__name__}, not an object of a model.")
        if instance is not None:
            self._check_own(type(instance))
            self._check_types({self.argument: instance})
        if not self.signal.about_model:
            return
        if instance is None and "instance" in self.signal.args:
            raise EmitError(f"The signal {self.verb} is about an object of a model: give it instance=….")
        if (
            instance is not None
            and self.signal.signal not in (db.pre_save, db.post_init)
            and not bulk_pages.is_saved(instance)
        ):
            raise EmitError(
                f"This {instance._meta.verbose_name} is not saved, so {self.verb} has not "
                "happened to it. Save it first."
            )

    def live(self):
        """The live triggers of the signal."""
        return index.live(self.verb)

    def record(self, found, using, *, is_fresh=False):
        """Record ``(instance, key)`` pairs with one INSERT; returns the new events.

        ``is_fresh``: the instances were loaded a moment ago.
        """
        alias = router.db_for_write(Event)
        using = using or alias
        silent_writes.tell_by_hand(instance for instance, _key in found)
        with reentrancy.while_recording(), rows.of_one_firing():
            self._read_rows([instance for instance, _key in found if instance is not None], is_fresh)
            recordings = [
                each for instance, key in found for each in self._match(instance, _checked_key(key), using)
            ]
            return recording.record(self.verb, recordings, using=alias, caller=using) if recordings else []

    def _read_rows(self, instances, is_fresh):
        """One query for what a page's triggers read of rows, not one for each object."""
        if is_fresh:
            rows.trust(instances)
        elif len(instances) > 1:
            tree = bulk_pages.tree_of(self.live(), self.argument)
            rows.read_ahead(instances, tree)

    def _match(self, instance, key, using):
        kwargs = dict(self.kwargs)
        if instance is not None:
            kwargs["instance"] = kwargs[self.argument] = instance
        if "using" in self.signal.args:
            kwargs["using"] = using
        context = context_of(self.signal, self._sender_for(instance), kwargs)
        matched = index.find(self.verb, context, self.created)
        return firings.recordings_of(
            self.signal, matched, context, created=self.created, using=using, key=key, times=self.times,
            absent=absent_names(self.signal, kwargs),
        )  # fmt: skip

    def _sender_for(self, instance):
        return self.sender if self.sender is not None or instance is None else type(instance)
