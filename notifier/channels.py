"""Which channels exist, and what crosses the line between the pipeline and a channel's module."""

import pkgutil
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from . import conf
from .declared import declared

# Functions that live beside the channels and are none.
FUNCTIONS = frozenset({"fanout", "sweep", "feedback"})

_registered: set[str] = set()


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One rendered delivery, as a channel's ``send`` receives it.

    ``delivery`` is the delivery's id, ``attempt`` counts from 1, ``address`` is as it was stored (not yet validated).
    Parts that the template does not have are empty strings.
    """

    delivery: int
    attempt: int
    address: str
    # "user:<primary key>" or "address:<address>".
    recipient: str = ""
    event: int = 0
    # Where its reader can stop what it is about by one request; blank where nobody can, or where no address of the site is known.
    unsubscribe_url: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    # A path of the site ("/orders/5/") or an http(s) address; anything else has become a blank one.
    link: str = ""
    icon: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """What is wrong with a message on its channel. ``is_error``: it would be refused; else it only costs more, or may surprise.

    ``part`` is one of ``contents.PARTS``.
    """

    part: str
    text: str
    is_error: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """How a message looks to its channel, before it is sent.

    ``pieces``: the text as it travels, such as an SMS's parts; ``length`` and ``limit`` in the channel's own count, which ``unit`` names
    (“GSM-7 characters”); ``cost_micros``: about what its provider asks for it, in millionths of a US dollar.
    ``look`` is how the editor shows it: ``mail``, ``phone`` or ``post``; blank is plain text. ``is_public``: everybody can read it, so
    nobody can send it to themselves alone. ``parts``: those of ``contents.PARTS`` that it shows; where none is named, its look tells.
    """

    look: str = ""
    parts: tuple[str, ...] = ()
    is_public: bool = False
    problems: tuple[Problem, ...] = ()
    pieces: tuple[str, ...] = ()
    length: int = 0
    limit: int = 0
    unit: str = ""
    cost_micros: int = 0


def examine(channel, message):
    """The Examination of a Message by its channel's own module, ``examine(message)`` there. Pure: nothing is asked of anybody."""
    examiner = _function(conf.get("CHANNELS_PACKAGE"), channel, "examine")
    return examiner(message) if examiner else Examination()


def price(channel, message):
    """About what its provider asks for a Message, in millionths of a US dollar, by ``price(message)`` of the channel's own module.

    Asked of each message that is sent, so it must not take as long as an examination may.
    """
    pricer = _function(conf.get("CHANNELS_PACKAGE"), channel, "price")
    return pricer(message) if pricer else 0


def disturbs(channel):
    """Whether a message there makes a sound somewhere, so that it waits for the end of quiet hours. ``DISTURBS = False`` in its module."""
    return _function(conf.get("CHANNELS_PACKAGE"), channel, "DISTURBS") is not False


@lru_cache
def _function(package, channel, name):
    return getattr(import_module(f"{package}.{channel}"), name, None) if find_spec(f"{package}.{channel}") else None


def label(name):
    """What people call the channel: ``LABEL`` of its own file, “E-mail”; the name itself where it says none."""
    return _say(name, "LABEL") or capfirst(name)


def verb(name):
    """What a rule does on it to somebody: ``VERB`` of its own file, “e-mail”, as in “e-mail all active users”."""
    return _say(name, "VERB") or _("send by %s to") % name


def way(name):
    """How a message comes by it, for who gets it: ``WAY`` of its own file, “in the inbox”; else made from its label, “by e-mail”."""
    return _say(name, "WAY") or _("by %s") % noun(name)


def noun(name):
    """Its label within a sentence: “e-mail”, and “SMS” as it is."""
    said = label(name)
    return said if said[1:2].isupper() else said[:1].lower() + said[1:]


def example(name):
    """An address as people write it for the channel, ``EXAMPLE`` of its own file; blank where it takes none."""
    return _said(name, "EXAMPLE")


def mark(name):
    """One or two characters that stand for it in a list, ``MARK`` of its own file; blank where it says none."""
    return _said(name, "MARK")


def _say(name, constant):
    # An empty text would be translated to the head of the catalogue.
    said = _said(name, constant)
    return _(said) if said else ""


def _said(name, constant):
    try:
        return declared(f"{conf.get('CHANNELS_PACKAGE')}.{name}", constant, "")
    except ModuleNotFoundError:  # a channel of another app
        return ""


def register_channel(name):
    """Make a channel of another app known by ``name``; its function is that app's own affair."""
    _registered.add(name)


def channel_names():
    """Names of all channels, sorted: the modules of the channels package, found by listing it and without importing them."""
    package = find_spec(conf.get("CHANNELS_PACKAGE"))
    locations = package.submodule_search_locations if package else []
    modules = {module.name for module in pkgutil.iter_modules(locations)}
    return sorted({name for name in modules - FUNCTIONS if not name.startswith("_")} | _registered)
