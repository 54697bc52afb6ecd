"""What an event's row keeps as JSON, as pages read it: what is not of its shape is left out.

The pipeline writes these columns itself. A row that was written by hand, or by another release, must not
take the page of all others with it.
"""

from ..rules.plans import Plan
from ..templating.keys import is_row_key


def steps_of(event) -> Plan:
    """The steps of the event's plan."""
    return [step for step in _list(event.plan) if _is_step(step)]


def matches_of(event):
    """What matching said of the triggers of its firing: ``{"trigger", "name", "because"}`` each.

    Of an event that was emptied the reasons are gone: of other triggers it is not known any more whether they
    matched, and they are left out.
    """
    found = [each for each in _list(event.explanation) if _is_match(each)]
    known = [each for each in found if "because" in each or each["trigger"] == event.trigger_id]
    return [{"because": ""} | each for each in known]


def dead_ends_of(event):
    """The paths that led nowhere, as texts."""
    return [each for each in _list(event.dead_ends) if isinstance(each, str)]


def _list(value):
    return value if isinstance(value, list) else []


def _is_match(found):
    return (
        isinstance(found, dict)
        and is_row_key(found.get("trigger"))
        and isinstance(found.get("name"), str)
        # It was removed from an event that was emptied.
        and isinstance(found.get("because", ""), str)
    )


def _is_step(step):
    return (
        isinstance(step, dict)
        and is_row_key(step.get("subscription"))
        and isinstance(step.get("contents"), dict)
        and all(isinstance(each, dict) for each in step["contents"].values())
        and all(is_row_key(pk) for each in step["contents"].values() for pk in each.values())
        and _all(str, step.get("unwritten", []))
        and _all(dict, step.get("recipients", []))
        and all(map(_is_named, step.get("recipients", [])))
    )


def _all(kind, values):
    return isinstance(values, list) and all(isinstance(each, kind) for each in values)


def _is_named(source):
    if "users" in source:
        return isinstance(source["users"], list)
    if "address" in source:
        return _all(str, [source.get("channel"), source["address"]])
    key = source.get("pk")
    return _all(str, [source.get("relation"), source.get("model")]) and (
        isinstance(key, str) or is_row_key(key)
    )
