"""What an event is to be sent with: per subscription and channel, a version for each language.

Next hop: ``deliveries.fanout``.

An event's plan is ``[{"subscription": id, "contents": {channel: {language: version id}}, "recipients":
[...]}]``.
"""

from ..templating import languages


def contents_of(contents):
    """``{channel: {language: version id}}`` of TemplateContents, as a step of a plan has it."""
    found = {}
    for content in contents:
        found.setdefault(content.channel, {})[content.language] = content.version_id
    return found


def version_for(step, channel, language):
    """``(version id, the language it is rendered in)`` for a person's language, or ``""`` where that is not
    known.
    """
    versions = step["contents"][channel]
    chosen = languages.choose(versions, language)
    return versions[chosen], languages.spoken(chosen, language)


def version_ids(plan):
    """The ids of all versions that the plan names."""
    return {pk for step in plan for versions in step["contents"].values() for pk in versions.values()}


def versions_in(step):
    """Channel → keys of the content versions that a step of a plan renders, one a language."""
    return {channel: list(found.values()) for channel, found in step.get("contents", {}).items()}
