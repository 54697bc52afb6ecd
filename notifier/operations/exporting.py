"""All that is kept of one person, as a document for them. Called through ``privacy``."""

from django.forms.models import model_to_dict

from ..channels.recipient import normalise
from ..models import ContentVersion, Suppression
from ..templating import contents
from . import audience_lines, mentions
from .belongings import caused_by, deliveries_of, own_events_of, rows_of
from .paging import pages
from .subjects import subject_of

# What a row of these is called in the document is its model's name.
FIELDS_OF_A_DELIVERY = (
    "event_id", "channel", "address", "language", "time_zone", "status", "reason", "detail", "provider_id",
    "returned", "created_at", "finished_at",
)  # fmt: skip
FIELDS_OF_AN_EVENT = (
    "id", "verb", "action_object", "actor", "key", "data", "dead_ends", "explanation", "status", "reason",
    "created_at",
)  # fmt: skip
# What an event says that the person only caused may be others' affair.
FIELDS_OF_A_CAUSED_EVENT = ("id", "verb", "action_object", "actor", "status", "created_at")
# Without whose inbox it is.
FIELDS_OF_ANOTHERS_ITEM = ("id", "title", "text", "link", "icon", "about", "created_at")
FIELDS_OF_AN_ENTRY = ("action_time", "action_flag", "object_id", "object_repr", "change_message")
FIELDS_OF_AN_AUTHOR = ("id", "created_at")
FIELDS_OF_AN_ATTEMPT = ("number", "status", "reason", "detail", "provider_id", "created_at")


def export_person(person):
    """All that this app keeps of a Person (``explaining.find_person``), as plain data: a dict of lists, by
    model.
    """
    subject = subject_of(person)
    own_rows = rows_of(subject)
    found = {"person": person.key}
    for rows in own_rows:
        found[rows.model._meta.model_name] = [_as_data(row) for page in pages(rows) for row in page]
    found["audience"] = list(audience_lines.find(subject))
    mine = deliveries_of(subject).select_related("event").prefetch_related("feedback", "history")
    found["delivery"] = [_describe(delivery) for page in pages(mine) for delivery in page]
    found["event"] = _picked(own_events_of(subject), FIELDS_OF_AN_EVENT)
    about = own_events_of(subject).values("pk")
    found["caused_event"] = _picked(caused_by(subject).exclude(pk__in=about), FIELDS_OF_A_CAUSED_EVENT)
    found["named_in_event"] = [
        {"id": event.pk, "recipients": named} for event, named in mentions.plans_naming(subject)
    ]
    found["others_inboxitem"] = _picked(_items_of_others(subject), FIELDS_OF_ANOTHERS_ITEM)
    for rows, column in mentions.names_of_authors(subject):
        found[rows.model._meta.model_name] = _picked(rows, (*FIELDS_OF_AN_AUTHOR, column))
    entries = mentions.log_entries(subject, own_rows)
    found["logentry"] = [] if entries is None else _picked(entries, FIELDS_OF_AN_ENTRY)
    for rows in mentions.sign_ins(subject):
        found[rows.model._meta.model_name] = [_as_data(row) for page in pages(rows) for row in page]
    found["suppression"] = _suppressions_of(subject, found)
    return found


def _picked(rows, names):
    return [{name: getattr(row, name) for name in names} for page in pages(rows) for row in page]


def _items_of_others(subject):
    of_events = mentions.items_of(own_events_of(subject), subject)
    return of_events | mentions.items_about(subject)


def _suppressions_of(subject, found):
    """Of all addresses of the person, also those at which nothing arrived."""
    places = set(subject.places) | {
        (each["channel"], normalise(each["address"]))
        for each in [*found["delivery"], *found.get("contactpoint", ())]
    }
    suppressed = []
    for own in sorted({address for _channel, address in places if address}):
        rows = Suppression.objects.filter(address=own).order_by("pk")
        suppressed += [_as_data(row) for row in rows if {(row.channel, own), ("", own)} & places]
    return suppressed


def _describe(delivery):
    found = {name: getattr(delivery, name) for name in FIELDS_OF_A_DELIVERY}
    found["what"] = {
        "signal": delivery.event.verb,
        "object": delivery.event.action_object,
        "data": delivery.event.data,
    }
    if delivery.is_test:
        # A test that they sent to themselves: its text is of no template.
        texts = ContentVersion.objects.filter(pk=delivery.version_id, content__isnull=True)
        found["texts"] = list(texts.values(*contents.PARTS))
    # What they opened and clicked is theirs, too.
    found["feedback"] = [
        {"kind": each.kind, "when": each.happened_at, "detail": each.detail, "message_id": each.message_id}
        for each in delivery.feedback.all()
    ]
    found["attempt"] = [_fields(each, FIELDS_OF_AN_ATTEMPT) for each in delivery.history.all()]
    return found


def _fields(row, names):
    return {name: getattr(row, name) for name in names}


def _as_data(row):
    found = model_to_dict(row)
    # `model_to_dict` leaves out what cannot be edited, such as when a row was made.
    return found | {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields}
