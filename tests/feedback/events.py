"""The kinds of event that SES publishes, in its own shapes, about one delivery.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html (those of an identity:
“notificationType”, and no tags)
"""

import copy
from dataclasses import dataclass

from notifier.feedback.reports import DELIVERY_TAG

MESSAGE_ID = "0100017c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000"
ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Recorded:
    """``event`` names MAIL and ADDRESS; what is expected: the kinds stored, what stands on the delivery, and
    why it is suppressed.
    """

    event: dict
    kinds: tuple = ()
    returned: str = ""
    suppressed: str = ""
    permanent: bool = False
    says: str = ""


def about(event, delivery, *, message_id=MESSAGE_ID, tags=True, sent_at=None):
    """``event`` as SES would publish it of ``delivery``."""
    sent_at = sent_at or delivery.created_at
    mail = {
        "timestamp": sent_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "source": "Notifier <notifier@example.com>",
        "sourceArn": f"arn:aws:ses:us-east-1:{ACCOUNT}:identity/notifier@example.com",
        "sendingAccountId": ACCOUNT,
        "messageId": message_id,
        "destination": [delivery.address],
        "headersTruncated": False,
        "headers": [{"name": "To", "value": delivery.address}, {"name": "Subject", "value": "Linen"}],
        "commonHeaders": {"to": [delivery.address], "messageId": message_id, "subject": "Linen"},
    }
    if tags:
        mail["tags"] = {"ses:configuration-set": ["notifier"], DELIVERY_TAG: [str(delivery.pk)]}
    return filled_in({"mail": mail, **copy.deepcopy(event)}, delivery.address)


def filled_in(value, address):
    if isinstance(value, dict):
        return {key: filled_in(each, address) for key, each in value.items()}
    if isinstance(value, list):
        return [filled_in(each, address) for each in value]
    return value.replace("ADDRESS", address) if isinstance(value, str) else value


def bounce(kind, why, diagnostic=None, *, form="eventType", recipients=("ADDRESS",), **more):
    recipient = {"action": "failed", "status": "5.1.1", "diagnosticCode": diagnostic} if diagnostic else {}
    own = {
        "bounceType": kind,
        "bounceSubType": why,
        "bouncedRecipients": [{"emailAddress": each, **recipient} for each in recipients],
        "timestamp": "2026-05-03T00:41:02.669Z",
        "feedbackId": f"0100-{kind}-{why}",
        "reportingMTA": "dsn; mta.example.com",
    } | more
    return {form: "Bounce", "bounce": own}


def complaint(why=None, sub=None, *, form="eventType"):
    own = {
        "complainedRecipients": [{"emailAddress": "ADDRESS"}],
        "timestamp": "2026-05-03T01:00:00.000Z",
        "feedbackId": f"0200-{why}-{sub}",
        "complaintSubType": sub,
    }
    if why:
        own |= {
            "complaintFeedbackType": why,
            "userAgent": "Mail/1.0",
            "arrivalDate": "2026-05-03T00:59:00.000Z",
        }
    return {form: "Complaint", "complaint": own}


def delivery(*, form="eventType"):
    own = {
        "timestamp": "2026-05-03T00:40:10.000Z",
        "processingTimeMillis": 546,
        "recipients": ["ADDRESS"],
        "smtpResponse": "250 2.6.0 Message received",
        "reportingMTA": "mta.example.com",
    }
    return {form: "Delivery", "delivery": own}


def delay(why):
    own = {
        "delayType": why,
        "timestamp": "2026-05-03T00:50:00.000Z",
        "expirationTime": "2026-05-03T14:40:00.000Z",
        "delayedRecipients": [
            {"emailAddress": "ADDRESS", "status": "4.4.1", "diagnosticCode": "smtp; 421 4.4.1 try later"}
        ],
    }
    return {"eventType": "DeliveryDelay", "deliveryDelay": own}


def subscription(**chosen):
    own = {
        "contactList": "News",
        "timestamp": "2026-05-03T02:00:00.000Z",
        "source": "UnsubscribeHeader",
        "newTopicPreferences": {
            "unsubscribeAll": False,
            "topicSubscriptionStatus": [{"topicName": "Sales", "subscriptionStatus": "OptIn"}],
        }
        | chosen,
        "oldTopicPreferences": {"unsubscribeAll": False},
    }
    return {"eventType": "Subscription", "subscription": own}


NO_USER = "smtp; 550 5.1.1 <ADDRESS>: user unknown"
OPEN = {
    "eventType": "Open",
    "open": {"timestamp": "2026-05-03T03:00:00.000Z", "ipAddress": "192.0.2.1", "userAgent": "Mozilla/5.0"},
}
CLICK = {
    "eventType": "Click",
    "click": {
        "timestamp": "2026-05-03T03:05:00.000Z",
        "ipAddress": "192.0.2.1",
        "userAgent": "Mozilla/5.0",
        "link": "https://example.com/secret-token",
        "linkTags": None,
    },
}
GONE = {"kinds": ("bounced",), "returned": "bounced", "suppressed": "bounced", "permanent": True}
PASSING = {"kinds": ("bounced",), "returned": "bounced"}
COMPLAINED = {
    "kinds": ("complained",),
    "returned": "complained",
    "suppressed": "complained",
    "permanent": True,
}

RECORDED = {
    # Permanent bounces: the address gets nothing more.
    "permanent, general": Recorded(bounce("Permanent", "General", NO_USER), says="550 5.1.1", **GONE),
    "permanent, no such address": Recorded(
        bounce("Permanent", "NoEmail", NO_USER), says="there is no such address", **GONE
    ),
    "permanent, on SES's own list": Recorded(
        bounce("Permanent", "Suppressed"), says="bounced for others", **GONE
    ),
    "permanent, on the account's list": Recorded(
        bounce("Permanent", "OnAccountSuppressionList"), says="suppression list of our account", **GONE
    ),
    "permanent, of a kind that is new": Recorded(
        bounce("Permanent", "Brandnew"), says="Permanent, Brandnew", **GONE
    ),
    "permanent, under another name of the mailbox": Recorded(
        bounce("Permanent", "General", "smtp; 550 no", recipients=["forwarded@elsewhere.example"]),
        says="550 no",
        **GONE,
    ),
    "permanent, of an identity": Recorded(
        bounce("Permanent", "General", NO_USER, form="notificationType", remoteMtaIp="127.0.2.0"),
        says="550",
        **GONE,
    ),
    "permanent, without recipients": Recorded(
        bounce("Permanent", "General", recipients=()), says="refuses it for good", **GONE
    ),
    "permanent, without a list of recipients": Recorded(
        {"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "feedbackId": "1", "timestamp": "x"}},
        says="Permanent",
        **GONE,
    ),
    # The others: it came back, and may go another time.
    "undetermined, without recipients": Recorded(
        bounce("Undetermined", "Undetermined", recipients=()), says="could not read", **PASSING
    ),
    "a bounce that does not say of which kind": Recorded(
        {"eventType": "Bounce", "bounce": {"bouncedRecipients": [], "timestamp": "x"}},
        says="why is not said",
        **PASSING,
    ),
    "transient, general": Recorded(bounce("Transient", "General"), says="automatic reply", **PASSING),
    "transient, the mailbox is full": Recorded(
        bounce("Transient", "MailboxFull", "smtp; 552 5.2.2 full"), says="the mailbox is full", **PASSING
    ),
    "transient, too large": Recorded(bounce("Transient", "MessageTooLarge"), says="too large", **PASSING),
    "transient, the text is refused": Recorded(
        bounce("Transient", "ContentRejected"), says="such a text", **PASSING
    ),
    "transient, the attachment is refused": Recorded(
        bounce("Transient", "AttachmentRejected"), says="such an attachment", **PASSING
    ),
    "undetermined": Recorded(bounce("Undetermined", "Undetermined"), says="could not read", **PASSING),
    "transient, of an identity": Recorded(
        bounce("Transient", "General", form="notificationType"), says="reply", **PASSING
    ),
    # Complaints.
    "complaint, abuse": Recorded(complaint("abuse"), says="it was called spam", **COMPLAINED),
    "complaint, fraud": Recorded(complaint("fraud"), says="fraud", **COMPLAINED),
    "complaint, virus": Recorded(complaint("virus"), says="virus", **COMPLAINED),
    "complaint, other": Recorded(complaint("other"), says="against it", **COMPLAINED),
    "complaint without a type": Recorded(complaint(), says="not known", **COMPLAINED),
    "complaint, on the account's list": Recorded(
        complaint(sub="OnAccountSuppressionList"), says="suppression list of our account", **COMPLAINED
    ),
    "complaint without recipients": Recorded(
        {
            "eventType": "Complaint",
            "complaint": {"complainedRecipients": [], "complaintFeedbackType": "abuse"},
        },
        says="it was called spam",
        **COMPLAINED,
    ),
    "complaint of an identity": Recorded(
        complaint("abuse", form="notificationType"), says="spam", **COMPLAINED
    ),
    # A mail server's words, and no person's.
    "complaint, not spam": Recorded(complaint("not-spam"), ("delivered",), says="it is no spam"),
    "complaint, signatures": Recorded(
        complaint("auth-failure"), ("complained",), says="signatures did not verify"
    ),
    # Good, or not over.
    "delivered": Recorded(delivery(), ("delivered",)),
    "delivered, without recipients": Recorded(
        {"eventType": "Delivery", "delivery": {"timestamp": "x", "smtpResponse": "250"}}, ("delivered",)
    ),
    "delivered, of an identity": Recorded(delivery(form="notificationType"), ("delivered",)),
    "delayed, the mailbox is full": Recorded(delay("MailboxFull"), ("delayed",), says="the mailbox is full"),
    "delayed, the server fails": Recorded(delay("RecipientServerError"), ("delayed",), says="server fails"),
    "delayed, not reached": Recorded(
        delay("TransientCommunicationFailure"), ("delayed",), says="cannot be reached"
    ),
    "delayed, seen as spam": Recorded(delay("SpamDetected"), ("delayed",), says="much spam"),
    "delayed, without recipients": Recorded(
        {"eventType": "DeliveryDelay", "deliveryDelay": {"delayType": "General", "delayedRecipients": []}},
        ("delayed",),
        says="handed over yet",
    ),
    "delayed, of a kind that is new": Recorded(delay("Brandnew"), ("delayed",), says="Brandnew"),
    "opened": Recorded(OPEN, ("opened",)),
    "clicked": Recorded(CLICK, ("clicked",)),
    # Taken, and not sent.
    "rejected": Recorded(
        {"eventType": "Reject", "reject": {"reason": "Bad content"}},
        ("refused",),
        "refused",
        says="did not send it: Bad content",
    ),
    "rendering failure": Recorded(
        {
            "eventType": "Rendering Failure",
            "failure": {"errorMessage": "Attribute 'name' is missing", "templateName": "x"},
        },
        ("refused",),
        "refused",
        says="'name' is missing",
    ),
    # SES's own contact lists.
    "unsubscribed from all": Recorded(
        subscription(unsubscribeAll=True), ("unsubscribed",), "", "opted_out", True, says="from everything"
    ),
    "unsubscribed from a topic": Recorded(
        subscription(topicSubscriptionStatus=[{"topicName": "Sales", "subscriptionStatus": "OptOut"}]),
        ("unsubscribed",),
        says="from: Sales",
    ),
    # Nothing that we do not know.
    "subscribed": Recorded(subscription()),
    "sent": Recorded({"eventType": "Send", "send": {}}),
    # A rule of incoming mail publishes to the same topic.
    "received": Recorded({"notificationType": "Received", "receipt": {"recipients": ["ADDRESS"]}}),
    "an event that is new": Recorded(
        {"eventType": "Brandnew", "brandnew": {"timestamp": "2026-05-03T00:00:00.000Z"}}
    ),
}
