"""Why a delivery was, or was not, sent: its template, its queue, its provider. Called by ``delivered``."""

from ..channels.recipient import Recipient
from ..deliveries.slots import REASON as RATE
from ..models import ContentVersion, Delivery, Feedback, Lane, Template
from ..people import suppression
from .answers import Outcome, Seen
from .wording import moment, words_of

Status = Delivery.Status
LANES = {
    Lane.URGENT: " It is urgent: others wait for it.",
    Lane.BULK: " It goes as bulk: others go before it.",
}
TEMPLATE_REASONS = ("template_failed", "template_deleted")


def look_at_template(case):
    # Together with the delivery, as they were: a version never changes.
    version = (
        ContentVersion.objects.filter(pk=case.delivery.version_id).select_related("content__template").first()
    )
    # Without a content it is of a test, which its editor had typed.
    content = version and version.content
    about = (Template, content.template_id) if content else None
    named = f"the template “{content.template}”, version {version.number}," if content else "the template"
    if case.delivery.reason in TEMPLATE_REASONS:
        return Seen(f"{named} failed: {words_of(case.delivery)}", Outcome.NOT, about)
    if version is None:
        return Seen("the template has been deleted since.")
    return Seen(
        f"{named} was used." if case.delivery.status == Status.SENT else f"{named} is to be used.",
        about=about,
    )


def look_at_queue(case):
    delivery, about = case.delivery, (Delivery, case.delivery.pk)
    if delivery.status == Status.QUEUED:
        again = f" {_tries(delivery)} went before." if delivery.attempts else ""
        lane = LANES.get(delivery.lane, "")
        return Seen(f"it is on its way to the function that sends it.{lane}{again}", Outcome.WAITS, about)
    if delivery.status == Status.WAITING:
        after = f", after {_tries(delivery)}" if delivery.attempts else ""
        lane = LANES.get(delivery.lane, "") if delivery.reason == RATE else ""
        text = f"it waits until {moment(delivery.due_at)}{after}: {words_of(delivery)}{lane}"
        return Seen(text, Outcome.WAITS, about)
    if delivery.status == Status.CLAIMED:
        return Seen("a function is working on it.", Outcome.WAITS, about)


def look_at_provider(case):
    delivery, about = case.delivery, (Delivery, case.delivery.pk)
    if delivery.status == Status.SENDING:
        return Seen("the provider is being called.", Outcome.WAITS, about)
    if delivery.status == Status.UNKNOWN:
        return Seen(f"the provider’s answer is not known: {words_of(delivery)}", Outcome.DOUBT, about)
    if delivery.status == Status.FAILED:
        return Seen(words_of(delivery), Outcome.NOT, about)
    if delivery.returned:
        # Who complains has got it.
        return Seen(
            _undone(delivery),
            Outcome.GOT if delivery.returned == Feedback.Kind.COMPLAINED else Outcome.NOT,
            about,
        )
    named = f" as {delivery.provider_id}" if delivery.provider_id else ", without telling an id"
    language = f", in {delivery.language}" if delivery.language else ""
    again = f" That was attempt {delivery.attempts}." if delivery.attempts > 1 else ""
    at = f" at {moment(delivery.finished_at)}" if delivery.finished_at else ""
    together = f" {delivery.detail}" if delivery.digest and delivery.detail else ""
    return Seen(f"the provider took it{at}{named}{language}.{again}{together}", Outcome.GOT, about)


def _undone(delivery):
    """“the provider took it, and then it bounced: …”; somebody who complains has got it, and wants no
    more.
    """
    heard = delivery.feedback.filter(kind=delivery.returned).order_by("happened_at", "pk").last()
    then = {"bounced": "then it bounced", "complained": "whoever got it complained"}.get(
        delivery.returned, "did not send it after all"
    )
    said = f": {heard.detail}" if heard and heard.detail else "."
    return f"the provider took it, and {then}{said} {_what_now(delivery)}".strip()


def _what_now(delivery):
    found = suppression.find(delivery.channel, delivery.address)
    return "Nothing more is sent to this address." if found else ""


def other_delivery(delivery):
    recipient = Recipient.parse(delivery.recipient)
    return f"the user {recipient.user_key}" if recipient.is_user else "a plain address of the audience"


def _tries(delivery):
    return f"{delivery.attempts} attempt{'' if delivery.attempts == 1 else 's'}"
