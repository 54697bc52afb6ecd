"""Who a person is to the tables: the recipients, addresses and texts that stand for them. Called by
``privacy``.

Note [whose]: an address is a person's where they are reached there now, or where something was sent to them.
One that another account has as well is that account's too, a chat's room is all its readers', and an address
that nobody has confirmed is only a claim: what belongs to these stays, and is given to nobody.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model

from ..channels import registry
from ..channels.recipient import Recipient, normalise
from ..models import ContactPoint, Delivery
from ..people.addresses import holders_of
from ..templating import keys


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A person as rows name them.

    ``names``: what deliveries call them. ``places``: ``(channel, address)`` in its normal form, the channel
    blank for any. ``written``: the addresses as they were written. ``labels``: what events call the account,
    and ``login`` the name by which it signs in; none without one.
    """

    key: str
    user: Any
    names: list[str]
    places: frozenset[tuple[str, str]]
    written: frozenset[str]
    labels: tuple[str, ...] = ()
    login: str = ""

    def has(self, channel, address):
        """Whether an address is theirs, in whichever spelling.

        A mail address or a number is, on whichever channel.
        """
        own = normalise(address)
        return bool(own) and (
            ("", own) in self.places
            or (channel, own) in self.places
            or (says_who(own) and any(own == each for _channel, each in self.places))
        )

    def spellings(self):
        """The addresses that are looked for within texts, as they may stand there: JSON has other letters."""
        found = {each for each in (*self.written, *(own for _, own in self.places)) if says_who(each)}
        # SQLite knows no capitals but those of ASCII.
        found |= {each.lower() for each in found}
        return sorted(found | {json.dumps(each)[1:-1] for each in found})


def says_who(address):
    """Whether an address is one wherever it stands: “ops” is a room here and a name there."""
    return any(sign in address for sign in ("@", "://")) or (address.startswith("+") and len(address) > 5)


def subject_of(person):
    """The Subject of a Person (``explaining.find_person``)."""
    if person.address:
        own = normalise(person.address)
        return Subject(
            key=person.key,
            user=None,
            names=[person.key],
            places=frozenset({("", own)}),
            written=frozenset({person.address.strip()}),
        )
    found = {each for each in _addresses_of(person) if _is_theirs(person, *each)}
    plain = sorted({str(Recipient.of_address(address)) for _channel, address in found})
    user, account = person.user, Recipient.parse(person.key).user_key
    return Subject(
        key=person.key,
        user=user,
        names=[person.key, *plain],
        places=frozenset((channel, normalise(address)) for channel, address in found),
        written=frozenset(address for _channel, address in found),
        labels=tuple(f"{label}:{account}"[: keys.MAX_TEXT_CHARACTERS] for label in user_labels()),
        login=user.get_username() if user is not None else "",
    )


def user_labels():
    """What the models of accounts are called: the user model, its proxies, and models of the same person."""
    return [model._meta.label_lower for model in user_models()]


def user_models():
    own = get_user_model()
    return [model for model in apps.get_models() if issubclass(model, own) or issubclass(own, model)]


def _addresses_of(person):
    """Yield ``(channel, address)``: where the person is reached now, and where something was sent to them."""
    settings = registry.addresses()
    reached = [name for name in registry.channel_names() if settings.get(name) != "pk"]
    if person.user is not None:
        places = [(name, person.place_on(name)) for name in reached]
        yield from ((name, place.address) for name, place in places if place.address and place.is_verified)
        # Of a channel that is gone, too.
        points = ContactPoint.objects.filter(user=person.user.pk, verified=True).exclude(channel__in=reached)
        yield from points.exclude(address="").values_list("channel", "address")
    sent = Delivery.objects.filter(recipient=person.key, status=Delivery.Status.SENT).exclude(address="")
    sent = sent.exclude(channel__in=[name for name, column in settings.items() if column == "pk"])
    yield from sent.order_by().values_list("channel", "address").distinct()


def _is_theirs(person, channel, address):
    """See note [whose]."""
    if not normalise(address) or not registry.is_ones_own(channel, address):
        return False
    others = holders_of(address, registry.channel_names())
    return not [user for user in others if person.user is None or user.pk != person.user.pk]
