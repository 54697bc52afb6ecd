"""The data kept of one person: as a document for them, or removed. Calls ``retention`` for what an event
says.

Any model of this app that has a ``user`` or a ``recipient`` is asked, so one that is added later is not
forgotten. What went to a plain address that is the person's own, in whichever spelling, is the person's too.
Suppressed addresses and opt-outs are exported and stay: they are why nobody writes to that person
again.

Note [pages]: what may be many is read a page at a time, each a query of its own: a server-side cursor lives
in one connection, which a pooler in transaction mode takes away after each statement. Erasing that is cut off
is asked for once more, and goes on: whatever says that something is the person's goes last.
"""

from dataclasses import dataclass

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q
from django.forms.models import model_to_dict

from .. import deliveries
from ..channels import registry
from ..channels.recipient import Recipient, normalise
from ..models import Audience, Delivery, Event, OptOut, Suppression
from ..templating import keys
from . import retention
from .retention import ENDED

PAGE_SIZE = 1000
# What a row of these is called in the document is its model's name.
FIELDS_OF_A_DELIVERY = (
    "event_id",
    "channel",
    "address",
    "language",
    "status",
    "reason",
    "created_at",
    "finished_at",
)


@dataclass
class Erased:
    """The rows that were removed of a person.

    ``under_way``: deliveries that a function was sending at that moment: erase once more, later.
    """

    rows: int = 0
    deliveries: int = 0
    events: int = 0
    cancelled: int = 0
    under_way: int = 0
    # Events that others are still to be told of: they say what they say until then. Erase once more, later.
    waiting: int = 0


def export_person(person):
    """All that this app keeps of a Person (``explaining.find_person``), as plain data: a dict of lists, by
    model.
    """
    found, names = {"person": person.key}, _names_of(person)
    for model, rows in _rows_of(person, names):
        found[model._meta.model_name] = [_as_data(row) for row in rows]
    found["audience"] = [audience.name for audience in _audiences_of(person)]
    mine = _deliveries_of(names).select_related("event").prefetch_related("feedback")
    found["delivery"] = [_describe(delivery) for page in _pages(mine) for delivery in page]
    addresses = {
        (each["channel"], normalise(each["address"]))
        for each in [*found["delivery"], *found.get("contactpoint", ())]
    }
    rows = Suppression.objects.filter(address__in={address for _, address in addresses if address}).order_by(
        "pk"
    )
    found["suppression"] = [_as_data(row) for row in rows if (row.channel, row.address) in addresses]
    return found


def erase_person(person):
    """Remove it.

    What waits for the person is cancelled; that something was sent stays on record, without an address. Twice
    is harmless.
    """
    erased, names = Erased(), _names_of(person)
    mine = _deliveries_of(names)
    while waiting := list(
        mine.filter(status__in=deliveries.CANCELLABLE).values_list("pk", flat=True)[:PAGE_SIZE]
    ):
        erased.cancelled += len(deliveries.cancel(waiting))
    erased.under_way = mine.filter(finished_at__isnull=True).count()
    ended = mine.filter(finished_at__isnull=False)
    erased.deliveries = ended.exclude(address="", detail="").count()
    for page in _pages(_events_of(person, names).filter(status__in=ENDED, emptied_at__isnull=True)):
        for event in page:
            # What is emptied before it was sent to others would reach them blank, or not at all.
            if Delivery.objects.filter(event=event, finished_at__isnull=True).exists():
                erased.waiting += 1
            else:
                retention.empty(event)
                erased.events += 1
    retention.forget_addresses(ended)
    for model, rows in _rows_of(person, names):
        if model is not OptOut:
            erased.rows += rows.delete()[0]
    for audience in _audiences_of(person):
        audience.users.remove(person.user)
        erased.rows += 1
    return erased


def _pages(rows):
    """Yield lists of PAGE_SIZE rows, by key. See note [pages]."""
    page = list(rows.order_by("pk")[:PAGE_SIZE])
    while page:
        yield page
        page = list(rows.filter(pk__gt=page[-1].pk).order_by("pk")[:PAGE_SIZE])


def _names_of(person):
    """What deliveries call the person: by the account's key, and by each address that it has now."""
    if person.user is None:
        return [person.key]
    reached = [name for name in registry.channel_names() if registry.addresses().get(name) != "pk"]
    own = {person.place_on(name).address for name in reached}
    return [person.key, *(str(Recipient.of_address(address)) for address in sorted(own - {""}))]


def _deliveries_of(names):
    return Delivery.objects.filter(recipient__in=names)


def _audiences_of(person):
    return (
        Audience.objects.filter(users=person.user.pk) if person.user is not None else Audience.objects.none()
    )


def _rows_of(person, names):
    """``(model, queryset)`` of this app's rows that belong to the person, but for deliveries."""
    for model in apps.get_app_config("notifier").get_models():
        fields = {
            field.name: field
            for field in model._meta.get_fields()
            if field.concrete and not field.many_to_many
        }
        if model is Delivery or model._meta.proxy:
            continue
        if "recipient" in fields:
            yield model, model._default_manager.filter(recipient__in=names)
        elif (
            person.user is not None and getattr(fields.get("user"), "related_model", None) is get_user_model()
        ):
            yield model, model._default_manager.filter(user=person.user.pk)


def _events_of(person, names):
    """Events that are about the person, that they caused, or that nobody else was told of."""
    others = Delivery.objects.filter(event=OuterRef("pk")).exclude(recipient__in=names)
    alone = Q(pk__in=_deliveries_of(names).values("event")) & ~Exists(others)
    if person.user is None:
        return Event.objects.filter(alone)
    label = keys.object_text(person.user)
    return Event.objects.filter(alone | Q(action_object=label) | Q(actor=label))


def _describe(delivery):
    found = {name: getattr(delivery, name) for name in FIELDS_OF_A_DELIVERY}
    found["what"] = {
        "signal": delivery.event.verb,
        "object": delivery.event.action_object,
        "data": delivery.event.data,
    }
    # What they opened and clicked is theirs, too.
    found["feedback"] = [
        {"kind": each.kind, "when": each.happened_at, "detail": each.detail}
        for each in delivery.feedback.all()
    ]
    return found


def _as_data(row):
    found = model_to_dict(row)
    # `model_to_dict` leaves out what cannot be edited, such as when a row was made.
    return found | {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields}
