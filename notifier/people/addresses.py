"""The address where a person is reached on a channel, or why on none. Called by the fan-out.

Note [two forms]: whether somebody can be reached is asked of a page of users (by the fan-out, another try,
“Why?” and a preview) and, where only their number counts, of the database. ``Place`` and ``reachable`` are
the same rule; `tests/people/test_addresses.py` draws people and holds the two equal.
"""

from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Exists, Func, OuterRef, Q, TextField, Value
from django.db.models.functions import Cast

from .. import conf
from ..channels import registry
from ..channels.recipient import MAX_ADDRESS_CHARACTERS, USER_PREFIX, Recipient
from ..models import ContactPoint, Delivery, Preferences
from ..rules import audiences
from ..templating import languages

# Of a row, beside the addresses, whose keys are names of channels.
LANGUAGE, TIME_ZONE = "@language", "@time_zone"
# What `str.strip` takes away; a database's TRIM takes spaces alone.
WHITESPACE = "".join(filter(str.isspace, map(chr, range(0x3001))))


class Place(NamedTuple):
    """The place where one user is reached on one channel: their contact point there, or what the settings
    name.

    A contact point counts before the settings even where nothing can be sent to it.
    """

    address: str
    is_verified: bool = True
    is_active: bool = True

    @classmethod
    def of(cls, address, is_verified=True, is_active=True):
        """The Place of an address as a column has it."""
        return cls(_as_text(address), is_verified, is_active)

    @property
    def reason(self):
        """The reason why nothing can be sent there, as a delivery says it; blank where it can."""
        if not self.is_active:
            return "inactive"
        if not self.address:
            return "no_address"
        return "" if self.is_verified else "unverified"


def reachable(users, channel):
    """The users of a queryset whose Place on ``channel`` has no ``reason``, and who pass its own gate."""
    points = ContactPoint.objects.annotate(trimmed=_trimmed("address")).filter(
        user=OuterRef("pk"), channel=channel
    )
    found = Exists(points.filter(verified=True).exclude(trimmed=""))
    if column := address_columns().get(channel):
        # An address may be a number: a key is.
        users = users.annotate(notifier_address=_trimmed(Cast(column, TextField())))
        # `> ''` leaves out NULL as well.
        found |= Q(notifier_address__gt="") & ~Exists(points)
    users = registry.keep_reachable(channel, users.filter(found))
    return users.filter(is_active=True) if audiences.has_field(get_user_model(), "is_active") else users


def places_of(rows, channels):
    """Yield ``(row, channel, Place)`` of each row of ``read_page`` on each channel. One query."""
    points = ContactPoint.objects.filter(user__in=[row["pk"] for row in rows], channel__in=list(channels))
    found = {
        (user, channel): (address, is_verified)
        for user, channel, address, is_verified in points.values_list(
            "user_id", "channel", "address", "verified"
        )
    }
    for row in rows:
        for channel in channels:
            address, is_verified = found.get((row["pk"], channel), (row.get(channel), True))
            yield row, channel, Place.of(address, is_verified, row.get("is_active", True))


def place_of(user, channel):
    """The Place of one user, as it is stored now; blank where they are gone. Two queries."""
    users = get_user_model()._default_manager.filter(pk=user.pk)
    rows = read_page(users, columns_for([channel]), 1)
    return next((place for _row, _channel, place in places_of(rows, [channel])), Place(""))


def look_again(deliveries):
    """The addresses where the people behind ``(id, channel, recipient)`` rows are reached now.

    Returns ``(id → address, ids of those who cannot be reached)``. What goes to a plain address is in
    neither.
    """
    by_channel = {}
    for pk, channel, text in deliveries:
        if (recipient := Recipient.parse(text)).is_user:
            by_channel.setdefault(channel, {})[pk] = recipient.user_key
    reached, unreachable = {}, set()
    for channel, keys in by_channel.items():
        found = _addresses(set(keys.values()), channel)
        reached |= {pk: found[key] for pk, key in keys.items() if key in found}
        unreachable |= {pk for pk, key in keys.items() if key not in found}
    return reached, unreachable


def _addresses(keys, channel):
    """Primary key, as text → address, of those that can be reached."""
    users = registry.keep_reachable(channel, get_user_model()._default_manager.filter(pk__in=keys))
    rows = read_page(users, columns_for([channel]), len(keys))
    places = places_of(rows, [channel])
    return {str(row["pk"]): place.address for row, _channel, place in places if not place.reason}


def _as_text(value):
    return "" if value is None else str(value).strip()[:MAX_ADDRESS_CHARACTERS]


def _trimmed(expression):
    return Func(expression, Value(WHITESPACE), function="TRIM", output_field=TextField())


def address_columns():
    """Channel → look-up from a user to their address there, as the settings name them."""
    return {channel: _look_up(path) for channel, path in registry.addresses().items()}


def columns_for(channels):
    """The columns that are read of each user for these channels: channel, LANGUAGE or TIME_ZONE → look-up."""
    found = {channel: column for channel, column in address_columns().items() if channel in channels}
    wishes = {LANGUAGE: conf.get("LANGUAGE"), TIME_ZONE: conf.get("TIME_ZONE")}
    return found | {key: _look_up(path) for key, path in wishes.items() if path}


def _look_up(path):
    return path.replace(".", "__")


def read_page(users, columns, size):
    """Up to ``size`` rows of ``{"pk", "is_active", channel: address, …, LANGUAGE, TIME_ZONE}``. One query."""
    active = ["is_active"] if audiences.has_field(get_user_model(), "is_active") else []
    names = ["pk", *active, *columns.values()]
    rows = users.values_list(*names)[:size]
    return [dict(zip(["pk", *active, *columns], row, strict=True)) for row in rows]


def of_users(rows, channels):
    """Yield ``(channel, recipient, address, reason, language, time zone)``; a reason means that nothing can
    be sent.
    """
    recipients = {row["pk"]: str(Recipient.of_user(row["pk"])) for row in rows}
    wishes = _wishes_of(rows)
    for row, channel, place in places_of(rows, channels):
        yield channel, recipients[row["pk"]], place.address, place.reason, *wishes[row["pk"]]


def _wishes_of(rows):
    """Primary key → ``(language, time zone)``: what each user has chosen, or what the settings name."""
    chosen = {
        key: rest
        for key, *rest in Preferences.objects.filter(user__in=[row["pk"] for row in rows]).values_list(
            "user_id", "language", "time_zone"
        )
    }
    found = {}
    for row in rows:
        language, time_zone = chosen.get(row["pk"], ("", ""))
        found[row["pk"]] = (
            languages.tag_of(language or row.get(LANGUAGE)),
            languages.zone_name(time_zone) or languages.zone_name(row.get(TIME_ZONE)),
        )
    return found


def of_addresses(event, subscription, step, addresses):
    """As ``of_users``, for plain addresses, without those that somebody in the audience already gets."""
    wanted = {
        (channel, address.strip()[:MAX_ADDRESS_CHARACTERS]): None
        for only, address in addresses
        for channel in ([only] if only else step["contents"])
        if channel in step["contents"]
    }
    taken = Delivery.objects.filter(event=event, subscription=subscription, recipient__startswith=USER_PREFIX)
    found = set(
        taken.filter(address__in=[address for _, address in wanted]).values_list("channel", "address")
    )
    met = set()
    for channel, address in wanted:
        if (channel, address) not in found:
            recipient = str(Recipient.of_address(address))
            if (channel, recipient) not in met:
                met.add((channel, recipient))
                yield channel, recipient, address, "", "", ""
