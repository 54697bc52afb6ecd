"""The whereabouts of people at this moment: is the account still there, and where is it reached on a channel?

Called by ``deliveries.claims``: between the fan-out and the claim lies a second, or a day in a digest.
"""

from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import OuterRef, Subquery

from ..channels.recipient import Recipient, user_keys
from ..models import ContactPoint, Preferences
from ..templating import keys, languages
from .addresses import TIME_ZONE, Place, columns_for, read_page

# Of a row, beside what `columns_for` names.
POINT, IS_VERIFIED, CHOSEN_ZONE = "@point", "@verified", "@chosen"
GONE = "user_deleted"


class Whereabouts(NamedTuple):
    """One person's place on a channel, and time zone; ``reason`` says why nothing can be sent there, or is
    blank.
    """

    address: str
    reason: str
    time_zone: str


def find_all(rows, channel):
    """Recipient → Whereabouts, of the users among rows that have a ``recipient``; GONE who has no account.

    One query, or none where no row is a user's.
    """
    names = {str(Recipient.of_user(key)) for key in user_keys(rows)}
    if not names:
        return {}
    found = {str(Recipient.of_user(row["pk"])): _read(row, channel) for row in _rows(rows, channel)}
    return {name: found.get(name, Whereabouts("", GONE, "")) for name in names}


def primary_keys(rows):
    """The primary keys of the users among rows that have a ``recipient``; some texts are no key."""
    users = get_user_model()
    return {key for text in set(user_keys(rows)) if (key := keys.find_key(users, text)) is not None}


def _rows(rows, channel):
    points = ContactPoint.objects.filter(user=OuterRef("pk"), channel=channel)
    wishes = Preferences.objects.filter(user=OuterRef("pk"))
    users = get_user_model()._default_manager.filter(pk__in=primary_keys(rows)).annotate(
        notifier_point=Subquery(points.values("address")),
        notifier_verified=Subquery(points.values("verified")),
        notifier_zone=Subquery(wishes.values("time_zone")),
    )  # fmt: skip
    more = {POINT: "notifier_point", IS_VERIFIED: "notifier_verified", CHOSEN_ZONE: "notifier_zone"}
    # No limit: a path to an address may give a person several rows, and nobody may be missed.
    return read_page(users, columns_for([channel]) | more, None)


def _read(row, channel):
    # A contact point comes first, also where nothing can be sent to it.
    has_point = row[IS_VERIFIED] is not None
    place = Place.of(
        row[POINT] if has_point else row.get(channel),
        is_verified=row[IS_VERIFIED] if has_point else True,
        is_active=row.get("is_active", True),
    )
    zone = languages.zone_name(row[CHOSEN_ZONE]) or languages.zone_name(row.get(TIME_ZONE))
    return Whereabouts(place.address, place.reason, zone)
