"""The address where a person is reached on a channel, or why on none. Called by the fan-out.

Note [two forms]: whether somebody can be reached is asked of a page of users (by the fan-out, another try,
“Why?” and a preview) and, where only their number counts, of the database. ``Place`` and ``reachable`` are
the same rule; `tests/people/test_addresses.py` draws people and holds the two equal.
"""

from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Case, Exists, OuterRef, Q, TextField, Value, When
from django.db.models.functions import Cast, Concat
from django.db.models.lookups import GreaterThan

from .. import conf
from ..channels import registry
from ..channels.address_paths import read_address
from ..channels.recipient import MAX_ADDRESS_CHARACTERS, USER_PREFIX, Recipient
from ..models import ContactPoint, Delivery, Preferences
from ..rules import audiences
from ..templating import languages
from ..templating.keys import find_key
from .spellings import find, trimmed

# Of a row, beside the addresses, whose keys are names of channels.
LANGUAGE, TIME_ZONE = "@language", "@time_zone"
# More people than this have one address only where it is no address of theirs.
MOST_HOLDERS = 20


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
    points = ContactPoint.objects.annotate(trimmed=trimmed("address")).filter(
        user=OuterRef("pk"), channel=channel
    )
    found = Exists(points.filter(verified=True).exclude(trimmed=""))
    if column := address_columns().get(channel):
        # An address may be a number: a key is.
        users = users.annotate(notifier_address=trimmed(Cast(column, TextField())))
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
    users = get_user_model()
    # Some texts are no key.
    wanted = {key for text in keys if (key := find_key(users, text)) is not None}
    if not wanted:
        return {}
    found = registry.keep_reachable(channel, users._default_manager.filter(pk__in=wanted))
    rows = read_page(found, columns_for([channel]), len(wanted))
    places = places_of(rows, [channel])
    return {str(row["pk"]): place.address for row, _channel, place in places if not place.reason}


def _as_text(value):
    return "" if value is None else str(value).strip()[:MAX_ADDRESS_CHARACTERS]


_BLANK = Value("", output_field=TextField())


def address_columns():
    """Channel → their address there, as the settings name it: a look-up from a user, or an expression."""
    return {channel: _column(setting) for channel, setting in registry.addresses().items()}


def _column(setting):
    """“telegram:{profile.chat}” as the database makes it: blank where one of its values is."""
    parts = read_address(setting)
    if [text for text, _path in parts] == [""]:
        return _look_up(parts[0][1])
    pieces, filled = [], Q()
    for text, path in parts:
        value = trimmed(Cast(_look_up(path), TextField())) if path else _BLANK
        pieces += [Value(text, output_field=TextField()), value]
        filled &= Q(GreaterThan(value, _BLANK)) if path else Q()
    return Case(When(filled, then=Concat(*pieces)), default=_BLANK, output_field=TextField())


def holders_of(address, channels):
    """The users who have an address on one of these channels, in whichever spelling, by key. A query for each
    place where addresses are.
    """
    users = get_user_model()._default_manager
    points = ContactPoint.objects.filter(channel__in=channels)
    keys = [point.user_id for point, _ in find(points, "address", [address])]
    found = {user.pk: user for user in users.filter(pk__in=keys)} if keys else {}
    # An account's key is no address that people know.
    columns = [column for channel, column in address_columns().items() if channel in channels]
    for column in dict.fromkeys(column for column in columns if column != "pk"):
        found |= {user.pk: user for user, _ in find(users.all(), column, [address])}
    return [user for _pk, user in sorted(found.items(), key=lambda item: str(item[0]))]


def recipients_called(text):
    """The stored texts of recipients that people mean by ``text``: an address in whichever spelling, up to
    MOST_HOLDERS who have it, or a user name. An account's key is not what people search by.
    """
    users = get_user_model()
    named = users._default_manager.filter(**{users.USERNAME_FIELD: text}).values_list("pk", flat=True)
    holders = (user.pk for user in holders_of(text, registry.channel_names()))
    keys = list(dict.fromkeys([*named, *holders]))[:MOST_HOLDERS]
    return [str(each) for each in (Recipient.of_address(text), *map(Recipient.of_user, keys))]


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


def of_addresses(event, subscription, step, addresses, *, beside_users):
    """As ``of_users``, for plain addresses, without those that somebody in the audience already gets, in
    whichever spelling. Costs a query ``beside_users`` who have got it.
    """
    wanted = {
        (channel, address.strip()[:MAX_ADDRESS_CHARACTERS]): None
        for only, address in addresses
        for channel in ([only] if only else step["contents"])
        if channel in step["contents"]
    }
    taken = Delivery.objects.filter(
        event=event, subscription=subscription, recipient__startswith=USER_PREFIX,
        channel__in={channel for channel, _ in wanted},
    ).only("channel")  # fmt: skip
    written = [each for _, each in wanted] if beside_users else ()
    met = {(row.channel, address) for row, address in find(taken, "address", written)}
    for channel, address in wanted:
        recipient = Recipient.of_address(address)
        if (channel, recipient.address) not in met:
            met.add((channel, recipient.address))
            yield channel, str(recipient), address, "", "", ""
