"""The message that crosses the line between the pipeline and a channel's module, and how it looks there."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One rendered delivery, as a channel's ``send`` receives it.

    ``delivery`` is the delivery's id, ``attempt`` counts from 1, ``address`` is as it was stored (not yet
    validated). Parts that the template does not have are empty strings.
    """

    delivery: int
    attempt: int
    address: str
    # "user:<primary key>" or "address:<address>": what `recipient.Recipient.parse` reads.
    recipient: str = ""
    event: int = 0
    # The event's signal, and when it was recorded.
    verb: str = ""
    recorded_at: dt.datetime | None = None
    # Where its reader can stop what it is about by one request; blank where nobody can, or where no address
    # of the site is known.
    unsubscribe_url: str = ""
    subject: str = ""
    text: str = ""
    # The stretches of ``text`` that came from data and not from the template, as ``(begin, end)`` in order;
    # None where nobody knows, and where it is all the same to the channel: see ``registry.tells_data_apart``.
    from_data: tuple[tuple[int, int], ...] | None = None
    html: str = ""
    # A path of the site ("/orders/5/") or an http(s) address; anything else has become a blank one.
    link: str = ""
    icon: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong with a message on its channel.

    ``is_error``: it would be refused; else it only costs more, or may surprise.

    ``part`` is one of ``templating.contents.PARTS``.
    """

    part: str
    text: str
    is_error: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """The look of a message on its channel, before it is sent.

    ``pieces``: the text as it travels, such as an SMS's parts; ``length`` and ``limit`` in the channel's own
    count, which ``unit`` names (“GSM-7 characters”); ``cost_micros``: about what its provider asks for it, in
    millionths of a US dollar. ``look`` is how the editor shows it: ``mail``, ``phone`` or ``post``; blank is
    plain text. ``is_public``: everybody can read it, so nobody can send it to themselves alone. ``parts``:
    those of ``templating.contents.PARTS`` that it shows; where none is named, its look tells.
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
