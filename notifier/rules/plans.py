"""The ``Plan`` of an event: per subscription and channel, a version for each language.

Made by ``events.loading``, read by ``deliveries.fanout``.
"""

from collections.abc import Iterable
from typing import NotRequired, Protocol, TypedDict

from ..templating import languages

# Channel → language → id of the content version. The language "" is for any.
Contents = dict[str, dict[str, int]]


class NamedAddress(TypedDict):
    """A plain address that an event names; the channel "" is any."""

    channel: str
    address: str


class NamedPeople(TypedDict):
    """The keys of the users that an event names."""

    users: list[int | str]


class NamedRelation(TypedDict):
    """The users behind ``relation`` of the object ``model``, ``pk``, read at the fan-out."""

    relation: str
    model: str
    pk: int | str


# Who the event itself names.
Named = NamedAddress | NamedPeople | NamedRelation


class Step(TypedDict):
    """One ``subscription`` (its id) of an event, and what it sends.

    ``recipients`` are those that the event itself names, where its audience has paths; they are no longer
    there once the event was emptied. ``unwritten`` are the channels for which its template has no content:
    the forms refuse that, code and fixtures do not.
    """

    subscription: int
    contents: Contents
    unwritten: NotRequired[list[str]]
    recipients: NotRequired[list[Named]]


# A step a subscription, in the order of the fan-out.
Plan = list[Step]


class PlannedContent(Protocol):
    """The part of a TemplateContent that a plan needs."""

    channel: str
    language: str
    version_id: int


def contents_of(contents: Iterable[PlannedContent]) -> Contents:
    """The Contents of TemplateContents."""
    found: Contents = {}
    for content in contents:
        found.setdefault(content.channel, {})[content.language] = content.version_id
    return found


def step_of(subscription: int, channels: Iterable[str], contents: Iterable[PlannedContent]) -> Step:
    """The Step of a subscription to ``channels`` whose template has ``contents``."""
    step: Step = {"subscription": subscription, "contents": contents_of(contents)}
    if unwritten := [channel for channel in channels if channel not in step["contents"]]:
        step["unwritten"] = unwritten
    return step


def channels_of(step: Step) -> list[str]:
    """The channels that a step is for, also those for which nothing is written."""
    return [*step["contents"], *step.get("unwritten", ())]


def version_for(step: Step, channel: str, language: str) -> tuple[int, str]:
    """``(version id, the language it is rendered in)`` for a person's language, or ``""`` where that is not
    known.
    """
    versions = step["contents"][channel]
    chosen = languages.choose(versions, language)
    return versions[chosen], languages.spoken(chosen, language)


def version_ids(plan: Plan) -> set[int]:
    """The ids of all versions that the plan names."""
    return {pk for step in plan for versions in step["contents"].values() for pk in versions.values()}


def versions_in(step: Step) -> dict[str, list[int]]:
    """Channel → keys of the content versions that a step of a plan renders, one a language."""
    return {channel: list(found.values()) for channel, found in step.get("contents", {}).items()}
