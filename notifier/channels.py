"""Which channels exist, and what crosses the line between the pipeline and a channel's module."""

import pkgutil
from dataclasses import dataclass
from importlib.util import find_spec

from . import conf

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
    subject: str = ""
    text: str = ""
    html: str = ""


def register_channel(name):
    """Make a channel of another app known by ``name``; its function is that app's own affair."""
    _registered.add(name)


def channel_names():
    """Names of all channels, sorted: the modules of the channels package, found by listing it and without importing them."""
    package = find_spec(conf.get("CHANNELS_PACKAGE"))
    locations = package.submodule_search_locations if package else []
    modules = {module.name for module in pkgutil.iter_modules(locations)}
    return sorted({name for name in modules - FUNCTIONS if not name.startswith("_")} | _registered)
