"""One thing that AWS has otherwise than the stack declares."""

import json
from dataclasses import dataclass, field

SIGNS = {"create": "+", "change": "~", "delete": "-", "wait": "…"}
# A policy in full would bury the lines around it.
MOST_CHARACTERS = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """``action`` is create, change or delete; or wait, when the resource needs a function that is not
    deployed yet.

    ``resource`` is its kind and its name, ``differences`` maps an attribute to what was found and what is
    wanted. As text it is a line for the terminal.
    """

    resource: str
    action: str
    differences: dict = field(default_factory=dict)

    def __str__(self):
        line = f"{SIGNS[self.action]} {self.action} {self.resource}"
        if self.action == "wait":
            return f"{line} (its function is not deployed)"
        return ": ".join(
            [line, "; ".join(_difference(*each) for each in self.differences.items())]
            if self.differences
            else [line]
        )


def _difference(attribute, values):
    found, wanted = map(_brief, values)
    if max(len(found), len(wanted)) > MOST_CHARACTERS:
        return f"{attribute} differs"
    return f"{attribute} is {found}, should be {wanted}"


def _brief(value):
    return "not set" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
