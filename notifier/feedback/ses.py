"""SES's events, read with Anymail's own class.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

import json
import logging
from email.utils import parseaddr

from django.utils import timezone

from ..exceptions import MalformedMessage
from ..models import Feedback, Suppression
from .reports import DELIVERY_TAG, Report, delivery_id_of, key_of, moment_of, without_addresses

logger = logging.getLogger(__name__)

CHANNEL = "email"
# What SES says to a topic once, to see whether it may.
GREETING = "Successfully validated SNS topic for Amazon SES event publishing."
# The same of an identity's notifications, and SNS's own words to who subscribes; in none is a mail.
# https://docs.aws.amazon.com/ses/latest/dg/configure-sns-notifications.html
# https://docs.aws.amazon.com/sns/latest/dg/http-subscription-confirmation-json.html
GREETINGS = {"AmazonSnsSubscriptionSucceeded", "SubscriptionConfirmation", "UnsubscribeConfirmation"}
# SES's names of its events → where each keeps what is its own, and there the list of whom it is about. Of
# those without a list it is all whom the mail went to.
KINDS = {
    "Bounce": ("bounce", "bouncedRecipients"),
    "Click": ("click", None),
    "Complaint": ("complaint", "complainedRecipients"),
    "Delivery": ("delivery", "recipients"),
    "DeliveryDelay": ("deliveryDelay", "delayedRecipients"),
    "Open": ("open", None),
    "Reject": ("reject", None),
    "Rendering Failure": ("failure", None),
    "Send": ("send", None),
    "Subscription": ("subscription", None),
}
PERMANENT = "Permanent"
# https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html#event-publishing-retrieving-sns-contents-bounce-types
BOUNCES = {
    ("Permanent", "General"): "the other side refuses it for good",
    ("Permanent", "NoEmail"): "there is no such address",
    ("Permanent", "Suppressed"): "Amazon SES sends nothing to this address: it has bounced for others",
    (
        "Permanent",
        "OnAccountSuppressionList",
    ): "the address is on the suppression list of our account at Amazon SES",
    ("Permanent", "UnsubscribedRecipient"): "the person has unsubscribed at Amazon SES",
    ("Transient", "General"): "the other side did not take it, or an automatic reply came back",
    ("Transient", "MailboxFull"): "the mailbox is full",
    ("Transient", "MessageTooLarge"): "the message is too large for the other side",
    ("Transient", "CustomTimeoutExceeded"): "it was tried for as long as was asked for",
    ("Transient", "ContentRejected"): "the other side does not take such a text",
    ("Transient", "AttachmentRejected"): "the other side does not take such an attachment",
    ("Undetermined", "Undetermined"): "something came back that Amazon SES could not read",
}
# https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html#event-publishing-retrieving-sns-contents-complaint-object
COMPLAINTS = {
    "abuse": "it was called spam",
    "fraud": "it was called fraud or phishing",
    "virus": "a virus is said to be in it",
    "other": "something was said against it",
    "auth-failure": "its signatures did not verify at the other side",
    "not-spam": "it is no spam, says the other side",
    "OnAccountSuppressionList": (
        "the address is on the suppression list of our account at Amazon SES, for an earlier complaint"
    ),
}
# These are the word of a mail server, and of no person who wants no more.
NO_COMPLAINT = {"auth-failure", "not-spam"}
DELAYS = {
    "InternalFailure": "Amazon SES itself is slow",
    "General": "it could not be handed over yet",
    "MailboxFull": "the mailbox is full",
    "SpamDetected": "the other side has seen much spam from us",
    "RecipientServerError": "the other side's server fails",
    "IPFailure": "our sending address is blocked or slowed down there",
    "TransientCommunicationFailure": "the other side cannot be reached",
    "BYOIPHostNameLookupUnavailable": "the name of our own sending address cannot be looked up",
    "SendingDeferral": "Amazon SES holds it back for now",
    "Undetermined": "nobody knows why",
}


def read_event(body):
    """The Report in one notification's text; None where there is nothing to report.

    Raises MalformedMessage, which quotes nothing.
    """
    if body.strip().strip('"') == GREETING:
        return None
    try:
        event = json.loads(body)
        name = event.get("eventType") or event.get("notificationType") or event.get("Type")
        if name in GREETINGS:
            logger.info("A topic greets: %s.", name)
            return None
        if not isinstance(name, str) or not isinstance(event["mail"]["messageId"], str):
            raise MalformedMessage("no event of Amazon SES")
        if name not in KINDS:
            logger.info("Amazon SES has an event that is not known here. It is left out.")
            return None
        return _report(name, event)
    except MalformedMessage:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedMessage(f"no event of Amazon SES ({type(error).__name__})") from None


def _report(name, event):
    mail, (part, recipients) = event["mail"], KINDS[name]
    own = event.get(part) or {}
    if recipients and not own:
        raise MalformedMessage(f"an event of Amazon SES without its {part}")
    addresses = tuple(parseaddr(each)[1] or each for each in mail.get("destination") or ())
    parsed = _parse(event | {part: _told(own, recipients, addresses)})
    if not (said := _kind_of(name, own, parsed[0])):
        return None
    kind, words, permanent, suppress = said
    affected = tuple(parseaddr(each.recipient)[1] for each in parsed if each.recipient)
    answered = " ".join(filter(None, [own.get("smtpResponse"), *(each.mta_response for each in parsed)]))
    sent_at = moment_of(mail.get("timestamp")) or timezone.now()
    happened_at = moment_of(own.get("timestamp")) or sent_at
    # Of a mail to several, only those that it is about; of a mail to one it is about that one, though a
    # server may call it otherwise.
    about = affected if len(addresses) > 1 else addresses
    what = str(own.get("feedbackId") or own.get("timestamp") or "")
    return Report(
        channel=CHANNEL,
        kind=kind,
        key=key_of("ses", name, mail["messageId"], what, str(own.get("link", "")), *sorted(about)),
        message_id=mail["messageId"],
        happened_at=happened_at,
        sent_at=sent_at,
        addresses=about,
        delivery_id=_tagged(mail),
        detail=without_addresses(
            f"{words} {answered if kind != Feedback.Kind.DELIVERED else ''}", [*addresses, *affected]
        ),
        permanent=permanent,
        suppress=suppress,
    )


def _told(own, recipients, addresses):
    """``own`` with whom it is about, where SES names nobody, as of a bounce that came without a report: all
    whom the mail went to. With the words that Anymail takes for granted.
    """
    if recipients is None or own.get(recipients):
        return own
    # Nobody: also the mail does not say, so the provider's id must.
    named = addresses or ("",)
    listed = list(named) if recipients == "recipients" else [{"emailAddress": each} for each in named]
    return {"bounceType": "", "bounceSubType": ""} | own | {recipients: listed}


def _parse(event):
    """Anymail's events of one of SES's, one for each recipient that it is about."""
    from anymail.webhooks.amazon_ses import AmazonSESTrackingWebhookView

    class Reader(AmazonSESTrackingWebhookView):
        # It is never asked over HTTP, so it needs no password.
        warn_if_no_basic_auth = False

    return Reader().esp_to_anymail_events(event, {})


def _kind_of(name, own, parsed):
    """``(kind, words, permanent, suppress)``; None for what says nothing about a delivery that we do not
    know.
    """
    teller = TELLERS.get(name) or TELLERS.get(str(parsed.event_type))
    return teller(own, parsed) if teller else None


def _bounced(own, _parsed):
    kind, why = own.get("bounceType"), own.get("bounceSubType")
    permanent = kind == PERMANENT
    words = BOUNCES.get((kind, why)) or ", ".join(filter(None, (kind, why))) or "why is not said"
    return Feedback.Kind.BOUNCED, f"{words}.", permanent, Suppression.Reason.BOUNCED if permanent else ""


def _complained(own, _parsed):
    why = own.get("complaintSubType") or own.get("complaintFeedbackType") or ""
    words = f"{COMPLAINTS.get(why) or why or 'how is not known'}."
    if why == "not-spam":
        return Feedback.Kind.DELIVERED, words, False, ""
    if why in NO_COMPLAINT:
        return Feedback.Kind.COMPLAINED, words, False, ""
    return Feedback.Kind.COMPLAINED, words, True, Suppression.Reason.COMPLAINED


def _subscribed(own, _parsed):
    """The choice that a person made on the page of SES's own contact lists, where such are used."""
    chosen = own.get("newTopicPreferences") or {}
    if chosen.get("unsubscribeAll"):
        return (
            Feedback.Kind.UNSUBSCRIBED,
            "from everything, at Amazon SES.",
            True,
            Suppression.Reason.OPTED_OUT,
        )
    left = [
        each["topicName"]
        for each in chosen.get("topicSubscriptionStatus") or ()
        if each["subscriptionStatus"] == "OptOut"
    ]
    return (
        (Feedback.Kind.UNSUBSCRIBED, f"at Amazon SES, from: {', '.join(left)}.", False, "") if left else None
    )


# By SES's name where Anymail has none, else by Anymail's. What is not here ("Send": the answer to the call
# said so) is not kept.
TELLERS = {
    "DeliveryDelay": lambda own, _: (
        Feedback.Kind.DELAYED,
        f"{DELAYS.get(own.get('delayType')) or own.get('delayType') or 'it takes longer'}.", False, "",
    ),
    "Subscription": _subscribed,
    "bounced": _bounced,
    "complained": _complained,
    "delivered": lambda own, _: (Feedback.Kind.DELIVERED, "", False, ""),
    "rejected": lambda own, parsed: (Feedback.Kind.REFUSED, (
        "Amazon SES did not send "
        f"it: {parsed.description}."
        ), False, ""),
    "failed": lambda own, parsed: (Feedback.Kind.REFUSED, (
        "Amazon SES could not make "
        f"it: {parsed.description}"
        ), False, ""),
    "opened": lambda own, _: (Feedback.Kind.OPENED, "", False, ""),
    # Without the address that was followed: what people click is theirs, and it may hold a token.
    "clicked": lambda own, _: (Feedback.Kind.CLICKED, "", False, ""),
}  # fmt: skip


def _tagged(mail):
    """The delivery's id that the mail carried, or None."""
    values = (mail.get("tags") or {}).get(DELIVERY_TAG) or []
    return delivery_id_of(values[0]) if len(values) == 1 else None
