"""Says explicitly that something happened, one at a time or a queryset at a time.

For what sends no signal: ``bulk_create``, ``QuerySet.update``, SQL of one's own, another system's news.
Unlike a signal's receiver it is called by code that wants an event, so it raises: EmitError for a call that
makes no sense, a DatabaseError where nothing can be recorded. The caller's transaction is whole in either
case.
"""

from django.db import connections, models, router

from ..exceptions import EmitError
from ..models import Event
from ..templating import keys, readable
from . import bulk_pages
from .emission import Emission

# Events an INSERT at most; as many objects are in memory at once.
PAGE_SIZE = 500


def emit(
    verb,
    *,
    instance=None,
    sender=None,
    actor=None,
    target=None,
    created=None,
    key=None,
    at=None,
    expires=None,
    using=None,
    **args,
):
    """Record that ``verb``, a registered signal's name, happened.

    Returns the new events, one for each trigger that matched.

    ``instance``: what it happened to, for a signal about a model. ``created``: whether a save made it.
    ``args``: the signal's own arguments. ``key``: the same key again makes no second event of a trigger, save
    where the first one failed. ``at``: when it is to be sent, as a datetime with a time zone; one that is
    past is at once. ``expires``: a datetime, or a timedelta from then on, after which nothing of it is sent
    any more. What it says is of now, the recipients are those of then. ``using``: the database whose
    transaction decides, by default the instance's; the events of one that is still open have no ids before it
    commits.
    """
    emission = Emission(
        verb, sender=sender, actor=actor, target=target, created=created, args=args, at=at, expires=expires
    )
    emission.check_object(instance)
    using = using or (bulk_pages.database_of(instance) if isinstance(instance, models.Model) else None)
    return emission.record([(instance, key)], using)


def emit_bulk(
    objects,
    *,
    verb="post_save",
    argument="instance",
    actor=None,
    target=None,
    created=None,
    key=None,
    at=None,
    expires=None,
    using=None,
    **args,
):
    """Record that ``verb`` happened to each of ``objects``. Returns the number of new events.

    ``objects``: a queryset, read a page at a time in the order of its keys, or a list of saved objects. A
    page is one INSERT; outside a transaction each is committed and rung for by itself. ``argument``: the
    signal's own that the object is, where it is not ``instance`` and not what the signal is registered to be
    about. ``key``: a function of the object, or a
    text with ``{pk}`` in it. ``at`` and ``expires`` as of ``emit``.
    """
    model, key_of = bulk_pages.model_of(objects), _key_function(key)
    emission = Emission(
        verb, sender=model, actor=actor, target=target, created=created, args=args, argument=argument,
        at=at, expires=expires,
    )  # fmt: skip
    emission.check_all(objects, model)
    live = [
        trigger for trigger in emission.live() if not trigger.model or issubclass(model, _model_of(trigger))
    ]
    if not live:
        return 0
    count, using = 0, using or router.db_for_write(model)
    is_fresh = not isinstance(objects, list | tuple)
    argument, size = emission.signal.read_name(emission.argument), _objects_a_page(len(live))
    for page in bulk_pages.read(objects, live, argument=argument, size=size):
        found = [(instance, key_of(instance)) for instance in page]
        count += len(emission.record(found, using, is_fresh=is_fresh))
    return count


def _model_of(trigger):
    return readable.find_model(trigger.model) or ()


def _objects_a_page(events_an_object):
    """So many that their events fit into one INSERT: SQLite takes 999 values a statement."""
    fields = [field for field in Event._meta.concrete_fields if not field.primary_key]
    rows = connections[router.db_for_write(Event)].ops.bulk_batch_size(fields, [None] * PAGE_SIZE)
    return max(1, min(rows, PAGE_SIZE) // events_an_object)


def _key_function(key):
    if key is None or callable(key):
        return key or (lambda instance: None)
    if not isinstance(key, str) or "{pk}" not in key:
        raise EmitError(
            "The key of emit_bulk is a function of the object, or a text with {pk} in it: "
            'key="reminder-{pk}".'
        )

    def key_of(instance):
        if not (text := keys.key_text(instance)):
            raise EmitError(
                f"This {instance._meta.verbose_name} is not saved and has no key, so “{key}” would be "
                "the same for each. Save it first, or give a function of the object."
            )
        return key.replace("{pk}", text)

    return key_of
