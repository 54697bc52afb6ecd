"""The cells of a delivery wherever it stands: who, why, for how much. Called by ``deliveries`` and
``timeline``.
"""

from django.contrib.auth import get_user_model
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ...channels.recipient import Recipient
from ...explaining.wording import words_of
from ...models import Feedback
from ...people.whereabouts import primary_keys
from .. import display, masking

THEN = {
    Feedback.Kind.BOUNCED: _("then bounced"),
    Feedback.Kind.COMPLAINED: _("then complained of"),
    Feedback.Kind.REFUSED: _("then refused"),
}
TONES = {Feedback.Kind.DELIVERED: "sent", **dict.fromkeys(THEN, "failed")}
# A mail that is opened every day has many.
MOST_REPORTS = 50


def with_names(rows):
    """``rows`` with the user name of each that has one, by one query. A recipient that is no key has none."""
    users = get_user_model()
    keys = primary_keys(rows)
    found = users._default_manager.filter(pk__in=keys).values_list("pk", users.USERNAME_FIELD) if keys else ()
    names = {str(Recipient.of_user(pk)): name for pk, name in found}
    for row in rows:
        row.username = names.get(row.recipient)
    return rows


def recipient_shown(delivery, may_see):
    """The recipient, in one line of a list; without the permission, only enough to tell rows apart."""
    if not may_see:
        return display.quiet(masking.masked(delivery.address) or masking.HIDDEN)
    return delivery.address or delivery.username or delivery.recipient


def reason_in_words(row):
    """The reason why a delivery or an attempt ended so, with the code that people filter by; nothing where
    nothing was wrong.
    """
    return format_html("{} {}", capfirst(words_of(row)), display.quiet(row.reason)) if row.reason else ""


def returned_in_words(delivery):
    """“then bounced”, or nothing where what was sent stayed sent."""
    return display.tinted("failed", THEN[delivery.returned]) if delivery.returned in THEN else ""


def why_returned(delivery):
    """The provider's word about it as it came back, or nothing."""
    found = [each.detail for each in delivery.feedback.all() if each.kind == delivery.returned]
    return capfirst(found[-1]) if found else ""


def feedback_of(delivery):
    """The provider's reports since: ``(status, detail, when)`` for each, in the order in which it
    happened.
    """
    return [
        (
            display.tinted(TONES.get(each.kind, "busy"), each.get_kind_display()),
            capfirst(each.detail),
            display.moment(each.happened_at),
        )
        for each in list(delivery.feedback.all())[:MOST_REPORTS]
    ]


def cost(micros):
    """“$0.0075” of millionths of a US dollar; a dash for nothing."""
    return f"${micros / 1_000_000:.6f}".rstrip("0").ljust(5, "0") if micros else display.NOTHING
