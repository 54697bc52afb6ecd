"""The people who can be reached on a channel, and where, by the fan-out's own rules."""

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, TextField
from django.db.models.functions import Cast, Trim

from ..channels import registry
from ..channels.recipient import MAX_ADDRESS_CHARACTERS, Recipient
from ..models import ContactPoint
from ..rules import audiences


def _column(channel):
    """The look-up from a user to the address on ``channel``, or None where the settings name none."""
    path = registry.addresses().get(channel)
    return path and path.replace(".", "__")


def reachable(users, channel):
    """The users of a queryset who can be sent something on ``channel``: active, with an address, verified."""
    points = ContactPoint.objects.annotate(trimmed=Trim("address")).filter(
        user=OuterRef("pk"), channel=channel
    )
    found = Exists(points.filter(verified=True).exclude(trimmed=""))
    if column := _column(channel):
        # An address may be a number: a key is.
        users = users.annotate(notifier_address=Trim(Cast(column, TextField())))
        # `> ''` leaves out NULL as well.
        found |= Q(notifier_address__gt="") & ~Exists(points)
    users = registry.keep_reachable(channel, users.filter(found))
    return users.filter(is_active=True) if audiences.has_field(get_user_model(), "is_active") else users


def look_again(deliveries):
    """The addresses where the people behind ``(id, channel, recipient)`` rows are reached now.

    Returns ``(id → address, ids of those who cannot be reached)``. What goes to a plain address is in
    neither.
    """
    reached, unreachable = {}, set()
    parsed = ((pk, channel, Recipient.parse(recipient)) for pk, channel, recipient in deliveries)
    people = [(pk, channel, recipient.user_key) for pk, channel, recipient in parsed if recipient.is_user]
    for channel in {row[1] for row in people}:
        rows = [row for row in people if row[1] == channel]
        found = _addresses([row[2] for row in rows], channel)
        for pk, _channel, key in rows:
            if address := found.get(key):
                reached[pk] = address
            else:
                unreachable.add(pk)
    return reached, unreachable


def _addresses(keys, channel):
    """Primary key, as text → address, of those that can be reached."""
    users = reachable(get_user_model()._default_manager.filter(pk__in=keys), channel)
    points = ContactPoint.objects.filter(user__in=keys, channel=channel).values_list("user_id", "address")
    column = _column(channel)
    found = {
        str(row[0]): row[-1] for row in users.values_list("pk", *(["notifier_address"] if column else ["pk"]))
    }
    own = {str(user): address for user, address in points}
    return {
        key: str(own.get(key, address)).strip()[:MAX_ADDRESS_CHARACTERS] for key, address in found.items()
    }
