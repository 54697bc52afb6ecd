"""The events of SES for mails to its mailbox simulator. Called by ``ses``, which publishes them.

https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator
"""

from datetime import UTC, datetime
from email.utils import parseaddr

DOMAIN = "simulator.amazonses.com"


def events_of(sent, message_id):
    """``(event type of a destination, event)`` pairs for a SendEmail request; none for mail to everybody
    else.
    """
    found = []
    for address in sent.get("Destination", {}).get("ToAddresses", ()):
        # With “+label” it is the same mailbox.
        name, _at, domain = parseaddr(address)[1].partition("@")
        if domain == DOMAIN and (make := MAILBOXES.get(name.partition("+")[0])):
            found += [
                (kind, event | {"mail": _mail(sent, address, message_id)})
                for kind, event in make(address, message_id)
            ]
    return found


def _mail(sent, address, message_id):
    return {
        "timestamp": _now(),
        "source": sent.get("FromEmailAddress"),
        "messageId": message_id,
        "destination": [address],
        "tags": {each["Name"]: [each["Value"]] for each in sent.get("EmailTags", ())},
    }


def _delivered(address, _message_id):
    delivery = {"timestamp": _now(), "recipients": [address], "smtpResponse": "250 2.6.0 Message received"}
    yield "DELIVERY", {"eventType": "Delivery", "delivery": delivery}


def _bounced(kind, why, diagnostic):
    def make(address, message_id):
        bounce = {
            "bounceType": kind,
            "bounceSubType": why,
            "bouncedRecipients": [
                {"emailAddress": address, "action": "failed", "diagnosticCode": diagnostic}
            ],
            "timestamp": _now(),
            "feedbackId": f"bounce-{message_id}",
        }
        yield "BOUNCE", {"eventType": "Bounce", "bounce": bounce}

    return make


def _complained(address, message_id):
    yield from _delivered(address, message_id)
    complaint = {
        "complainedRecipients": [{"emailAddress": address}],
        "complaintFeedbackType": "abuse",
        "timestamp": _now(),
        "feedbackId": f"complaint-{message_id}",
    }
    yield "COMPLAINT", {"eventType": "Complaint", "complaint": complaint}


def _out_of_office(address, message_id):
    yield from _delivered(address, message_id)
    yield from _bounced("Transient", "General", None)(address, message_id)


def _now():
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


MAILBOXES = {
    "success": _delivered,
    "bounce": _bounced("Permanent", "General", "smtp; 550 5.1.1 user unknown"),
    "complaint": _complained,
    "ooto": _out_of_office,
    "suppressionlist": _bounced("Permanent", "Suppressed", None),
}
