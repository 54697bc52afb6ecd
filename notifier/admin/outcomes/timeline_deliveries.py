"""The deliveries on an event's page: by outcome, with their attempts and why. Called by ``timeline``."""

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from ...models import Attempt, ContentVersion, Delivery, Template
from .. import display
from .delivery_cells import cost, feedback_of, reason_in_words, recipient_shown, returned_in_words, with_names

FAILED_SHOWN, SHOWN = 5, 10


NO_ANSWER = _("No answer is on record: its function ended before it could store one.")


WAITING_FOR_A_TIME = (Delivery.Status.WAITING, Delivery.Status.STANDBY)


LIVE_DELIVERY = (
    Delivery.Status.QUEUED,
    Delivery.Status.CLAIMED,
    Delivery.Status.SENDING,
    Delivery.Status.WAITING,
)


def deliveries_of(event, versions, may_see):
    """Failures, the newest first; then others, in the order of the unique key: the newest of a million would
    have to be sorted.
    """
    history = Prefetch("history", Attempt.objects.order_by("pk"))
    ours = Delivery.objects.filter(event=event).prefetch_related(history, "feedback")
    not_sent = [Delivery.Status.FAILED, Delivery.Status.UNKNOWN]
    rows = list(ours.filter(status__in=not_sent).order_by("-pk")[:FAILED_SHOWN])
    others = ours.order_by("subscription", "channel", "recipient")[:SHOWN]
    rows += [each for each in others if each.status not in not_sent][: SHOWN - len(rows)]
    missing = {row.version_id for row in rows} - versions.keys()
    versions = (
        versions | ContentVersion.objects.select_related("content__template").in_bulk(missing)
        if missing
        else versions
    )
    return [
        {
            "delivery": row,
            "link": display.object_link(Delivery, row.pk, f"#{row.pk}"),
            "status": display.status_word(row),
            "recipient": recipient_shown(row, may_see),
            "reason": reason_in_words(row),
            "returned": returned_in_words(row),
            "heard": feedback_of(row) if row.returned else [],
            "version": version_link(versions[row.version_id]) if row.version_id in versions else "",
            "cost": cost(row.cost_micros),
            "when": display.moment(row.finished_at) if row.finished_at else "",
            "due": display.moment(row.due_at) if row.status in WAITING_FOR_A_TIME else "",
            "attempts": attempts_of(row),
            "why": why_link(row) if may_see else "",
        }
        for row in with_names(rows)
    ]


def attempts_of(delivery):
    """The attempts on record of a delivery, for the template: and which of those before the last left no
    answer.
    """
    found = [
        {
            "number": each.number,
            "status": display.status_word(each),
            "reason": reason_in_words(each),
            "when": display.moment(each.created_at),
        }
        for each in delivery.history.all()
    ]
    unheard = set(range(1, delivery.attempts)) - {each["number"] for each in found}
    found += [{"number": number, "status": "", "reason": NO_ANSWER, "when": ""} for number in unheard]
    return sorted(found, key=lambda each: each["number"])


def why_link(delivery):
    query = {"person": delivery.recipient, "subject": delivery.event_id, "channel": delivery.channel}
    return f"{reverse('admin:notifier_why')}?{urlencode(query)}"


def version_link(version, *, language=False):
    """“version 3”, or “version 3 (de)”, with a link to its template; a test's has none."""
    text = _("version %d") % version.number
    if version.content is None:
        return text
    named = f"{text} ({version.content.language})" if language and version.content.language else text
    return display.object_link(Template, version.content.template_id, named)
