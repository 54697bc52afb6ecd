"""Reads an event's plan, and a rule's audiences, for those who show them. Next hop: ``notifier.explaining``."""

from . import audiences


def versions_in(step):
    """Channel → keys of the content versions that a step of a plan renders, one a language."""
    return {
        channel: list(found.values()) if isinstance(found, dict) else [found]
        for channel, found in step.get("contents", {}).items()
    }


def describe_sources(sources):
    """What people look for in Audience rows, as texts; plain addresses only by their number."""
    found = []
    for audience in sources:
        found += ["all active users"] if audience.everyone else []
        found += [f"the group “{group}”" for group in audience.groups.all()]
        found += ["users chosen by name"] if audience.users.exists() else []
        found += [f"whom {path} named" for _channel, path in audiences.read_lines(audience, "paths")]
        found += [f"the function “{name}”" for name in audience.callables]
        number = len(audiences.lines_of(audience.addresses))
        found += [f"{number} plain address{'es' if number > 1 else ''}"] if number else []
    return list(dict.fromkeys(found))
