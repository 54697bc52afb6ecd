"""Finds the person that is asked about. Called by ``notifier.explaining``."""

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser

from ..channels import registry
from ..channels.recipient import Recipient, normalise
from ..channels.storable import storable
from ..exceptions import UnknownPerson
from ..people.addresses import Place, holders_of, place_of
from ..rules import audiences
from ..templating import readable

# So many are named where one word means several people.
MOST_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user, or a plain address.

    ``key`` is what deliveries call it; of a user who was deleted, there is nothing else.
    """

    key: str
    name: str
    user: AbstractBaseUser | None = None
    address: str = ""

    def recipients(self, channel):
        """The recipients by which a delivery to this person on ``channel`` may go: itself, or an address of
        its own.
        """
        own = self.address or self.place_on(channel).address
        return (
            [self.key, str(Recipient.of_address(own))]
            if own and not self.address
            else [self.key, *self._holders(channel)]
        )

    def place_on(self, channel):
        """The Place where this person is reached on ``channel`` now."""
        return Place(self.address) if self.user is None else place_of(self.user, channel)

    def _holders(self, channel):
        """The users who have this plain address on ``channel``."""
        found = holders_of(self.address, [channel]) if self.address else []
        return [str(Recipient.of_user(user.pk)) for user in found]


def person_of(user):
    key = str(Recipient.of_user(user.pk))
    return Person(key=key, name=user.get_full_name() or user.get_username(), user=user)


def find_person(text):
    """The Person that ``text`` means: ``user:<key>``, a key, a user name, an address of a user, or a plain
    address.

    UnknownPerson says what else to write.
    """
    text = storable(text).strip()
    asked = Recipient.parse(text)
    if address := asked.address.strip():
        return _person_at(address)
    if asked.is_user:
        user = _by_key(asked.user_key)
        return (
            person_of(user) if user else Person(key=text, name=f"The user {asked.user_key}, who was deleted,")
        )
    users = get_user_model()._default_manager
    named = users.filter(**{get_user_model().USERNAME_FIELD: text}).first()
    if user := named or _by_key(text):
        return person_of(user)
    found = holders_of(text, registry.channel_names()) if text else []
    if len(found) > 1:
        names = ", ".join(user.get_username() for user in found[:MOST_NAMED])
        raise UnknownPerson(f"{len(found)} people have this address. Write the name of one: {names}.")
    if found:
        return person_of(found[0])
    if "@" in text or text.startswith("+"):
        return _person_at(text)
    raise UnknownPerson(f"Nobody is called “{text}”. Write a user name, a number of a user, or an address.")


def _person_at(address):
    return Person(key=str(Recipient.of_address(address)), name=address, address=address)


def _by_key(text):
    return readable.find_instance(get_user_model(), text)


def is_member(person, channel, event, sources, frozen):
    """Whether the fan-out would find ``person`` now, by itself or by a plain address.

    Its own query, for one person.
    """
    users, addresses = audiences.select_recipients(event, sources, frozen)
    if person.user is not None and users.filter(pk=person.user.pk).exists():
        return True
    own = normalise(person.place_on(channel).address)
    return bool(own) and any(
        own == normalise(address) for only, address in addresses if only in ("", channel)
    )
