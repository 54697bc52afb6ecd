"""The channels that exist, and what each says of itself. Calls the channel's own module."""

import pkgutil
import re
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from .. import conf
from ..exceptions import ConfigurationError
from .constants import declared, defines
from .message import Examination, Message

# Functions that live beside the channels and are none.
FUNCTIONS = frozenset({"fanout", "sweep", "feedback"})
# As the columns hold it, and the links of `notifier.people.link_tokens`.
NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")

_registered: set[str] = set()


def examine(channel: str, message: Message) -> Examination:
    """The Examination of a Message by its channel's own module, ``examine(message)`` there.

    Pure: nothing is asked of anybody.
    """
    examiner = _function(channel, "examine")
    return examiner(message) if examiner else Examination()


def price(channel: str, message: Message) -> int:
    """About what its provider asks for a Message, in millionths of a US dollar, by ``price(message)`` of the
    channel's own module.

    Asked of each message that is sent, so it must not take as long as an examination may.
    """
    pricer = _function(channel, "price")
    return pricer(message) if pricer else 0


def own_gate(channel: str) -> Any:
    """The gate of this channel alone, ``refuse(candidates, channel)`` of its own module; None where it has
    none. See ``notifier.gates.table``.
    """
    return _function(channel, "refuse")


def keep_reachable(channel: str, users: Any) -> Any:
    """The users of a queryset that the channel's own gate lets through, by ``reachable(users)`` of its
    module.
    """
    narrow = _function(channel, "reachable")
    return narrow(users) if narrow else users


def is_ones_own(channel: str, address: str) -> bool:
    """Whether an address can be one person's alone, by ``is_ones_own(address)`` of the channel's own module:
    a chat's may be a room.
    """
    asker = _function(channel, "is_ones_own")
    return bool(asker(address)) if asker else True


def finder(channel: str) -> Any:
    """The function that asks the provider what it has of a message, ``find_sent(message, session, since)`` of
    the channel's own module; None where it has none. See ``notifier.deliveries.settling``.
    """
    return _function(channel, "find_sent")


def can_find(channel: str) -> bool:
    """Whether the channel has such a function. Nothing is imported."""
    return _defines(conf.get("CHANNELS_PACKAGE"), channel, "find_sent")


@lru_cache
def _defines(package: str, channel: str, name: str) -> bool:
    try:
        return defines(f"{package}.{channel}", name)
    except ModuleNotFoundError:  # a channel of another app, or nobody has the package
        return False


def _function(channel: str, name: str) -> Any:
    """A function of the channel's own module, or None.

    Only a module that has it is imported: the fan-out asks for every channel's gate, and has no channel's
    library.
    """
    return _find_function(conf.get("CHANNELS_PACKAGE"), channel, name)


@lru_cache
def _find_function(package: str, channel: str, name: str) -> Any:
    return getattr(import_module(f"{package}.{channel}"), name) if _defines(package, channel, name) else None


def disturbs(channel: str) -> bool:
    """Tell whether a message there makes a sound somewhere, so that it waits for the end of quiet hours.

    ``DISTURBS = False`` in its module.
    """
    return _said(channel, "DISTURBS") is not False


def is_read_in_the_site(channel: str) -> bool:
    """Whether its messages are items of the inbox, so that it is known what was read: ``READ_IN_THE_SITE =
    True`` in its module.
    """
    return _said(channel, "READ_IN_THE_SITE") is True


def credentials(channel: str) -> tuple[str, ...]:
    """The variables that hold its provider's keys: ``CREDENTIALS`` of its module."""
    return _said(channel, "CREDENTIALS") or ()


def tells_data_apart(channel: str) -> bool:
    """Whether its messages say what of their text came from data, as its services read markup and calls in
    it: ``TELLS_DATA_APART = True`` in its module.
    """
    return _said(channel, "TELLS_DATA_APART") is True


def parts(channel: str) -> tuple[str, ...]:
    """The ones of ``templating.contents.PARTS`` that a first message there is written in: ``PARTS`` of its
    module, else the text alone.
    """
    return _said(channel, "PARTS") or ("text",)


def addresses() -> dict[str, str]:
    """Per channel, the path on the user that holds the address: ``ADDRESS`` of its own module, and before it
    what the settings name.
    """
    return _own_addresses(conf.get("CHANNELS_PACKAGE")) | conf.get("ADDRESSES")


@lru_cache
def _own_addresses(package: str) -> dict[str, str]:
    found = {name: _declared(package, name, "ADDRESS") for name in channel_names()}
    return {name: path for name, path in found.items() if path}


def address_field(channel: str) -> str:
    """The kind of model field that holds addresses for it, ``ADDRESS_FIELD`` of its module: “EmailField”;
    blank where none does.
    """
    return _said(channel, "ADDRESS_FIELD")


def label(name: str) -> str:
    """The channel's name for people: ``LABEL`` of its own file, “E-mail”; the name itself where it says
    none.
    """
    return _say(name, "LABEL") or capfirst(name)


def verb(name: str) -> str:
    """The verb of a rule on it: ``VERB`` of its own file, “e-mail”, as in “e-mail all active users”."""
    return _say(name, "VERB") or _("send by %s to") % name


def way(name: str) -> str:
    """The way a message comes by it, for the person who gets it: ``WAY`` of its own file, “in the inbox”;
    else made from its label, “by e-mail”.
    """
    return _say(name, "WAY") or _("by %s") % noun(name)


def noun(name: str) -> str:
    """Its label within a sentence: “e-mail”, and “SMS” as it is."""
    said = label(name)
    return said if said[1:2].isupper() else said[:1].lower() + said[1:]


def example(name: str) -> str:
    """An address as people write it for the channel, ``EXAMPLE`` of its own file; blank where it takes
    none.
    """
    return _said(name, "EXAMPLE")


def mark(name: str) -> str:
    """One or two characters that stand for it in a list, ``MARK`` of its own file; blank where it says
    none.
    """
    return _said(name, "MARK")


def _say(name: str, constant: str) -> str:
    # An empty text would be translated to the head of the catalogue.
    said = _said(name, constant)
    return _(said) if said else ""


def _said(name: str, constant: str) -> Any:
    return _declared(conf.get("CHANNELS_PACKAGE"), name, constant)


@lru_cache
def _declared(package: str, name: str, constant: str) -> Any:
    # Asked for each of a fan-out's deliveries.
    try:
        return declared(f"{package}.{name}", constant, "")
    except ModuleNotFoundError:  # a channel of another app
        return ""


def register_channel(name: str) -> None:
    """Make a channel of another app known by ``name``; its function is that app's own affair.

    Raises ConfigurationError where a link that names the channel could not be read.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is no channel's name: write small letters, digits and _, 50 at most."
        )
    _registered.add(name)


def channel_names() -> list[str]:
    """Names of all channels, sorted: the modules of the channels package, found by listing it and without
    importing them.
    """
    modules = {module.name for module in pkgutil.iter_modules(_locations(conf.get("CHANNELS_PACKAGE")))}
    return sorted({name for name in modules - FUNCTIONS if not name.startswith("_")} | _registered)


def _locations(package: str) -> Any:
    """The folders of a package; none where it is not installed."""
    try:
        spec = find_spec(package)
    except ModuleNotFoundError:  # what is before its last dot
        return []
    return spec.submodule_search_locations if spec else []
