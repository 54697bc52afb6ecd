"""Addresses that get nothing more, for any person. Asked by ``gates.suppressed`` before anything is sent.

An address is stored and asked for in its normal form: see note [spellings] in ``channels.recipient``.
"""

import logging

from django.utils.formats import date_format

from ..channels.recipient import normalise
from ..channels.storable import storable
from ..exceptions import SendError
from ..models import Suppression
from ..observing import log_failure
from ..templating.times import local

logger = logging.getLogger(__name__)

Reason = Suppression.Reason

# The later replaces an earlier one, so that the order in which providers tell does not matter; what a person
# has said stays.
WEIGHT = [Reason.BOUNCED, Reason.GONE, Reason.OPTED_OUT, Reason.COMPLAINED, Reason.BY_HAND]
# As the reason of a delivery that is skipped: “Bounced permanently on 3 May 2026.”
SKIPPED = {
    Reason.BOUNCED: "Bounced permanently on %s.",
    Reason.COMPLAINED: "Called a message spam on %s.",
    Reason.OPTED_OUT: "Opted out at the provider; known since %s.",
    Reason.GONE: "Not there any more since %s.",
    Reason.BY_HAND: "Stopped by hand on %s.",
}
# What a channel's answer says of the address itself: a SendError with one of these reasons suppresses it.
TELLING = {str(Reason.OPTED_OUT): Reason.OPTED_OUT, str(Reason.GONE): Reason.GONE}
DETAIL_CHARACTERS = 500


def find_all(channel, addresses):
    """Address → Suppression, of those of ``addresses``, in their normal form, that are suppressed.

    One query, or none where no address is given.
    """
    asked = set(addresses) - {""}
    found = Suppression.objects.filter(channel=channel, address__in=asked) if asked else ()
    return {each.address: each for each in found}


def find(channel, address):
    """The Suppression of an address, or None."""
    return Suppression.objects.filter(channel=channel, address=normalise(address)).first()


def describe(suppression):
    """The reason and the date, without the address: “Bounced permanently on 3 May 2026.”"""
    return SKIPPED.get(suppression.reason, "Stopped on %s.") % date_format(
        local(suppression.created_at), "j M Y"
    )


def suppress(channel, address, reason, detail=""):
    """Let nothing more go to ``address`` on ``channel``. Said again, the weightier reason stays."""
    if not (address := normalise(address)):
        return
    values = {"reason": reason, "detail": storable(detail, DETAIL_CHARACTERS)}
    row, is_new = Suppression.objects.get_or_create(channel=channel, address=address, defaults=values)
    if not is_new:
        lighter = WEIGHT[: WEIGHT.index(reason)]
        Suppression.objects.filter(pk=row.pk, reason__in=lighter).update(**values)


def heed(answers, channel):
    """Suppress the addresses of which a provider has said, as the answer to a send, that they take nothing
    more.

    ``answers``: pairs of a Work and what the channel answered. Their results are stored by now, and nothing
    here may undo that.
    """
    for work, answer in answers:
        if isinstance(answer, SendError) and (reason := TELLING.get(answer.reason)):
            try:
                suppress(channel, work.address, reason, "Said by the provider when it was asked to send.")
            except Exception:
                log_failure(
                    logger,
                    "The address of delivery %d could not be suppressed; its provider will say so again.",
                    work.pk,
                )
