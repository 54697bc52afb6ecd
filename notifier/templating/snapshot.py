"""Freezes the data that templates and audiences read of an event into plain JSON.

What they read comes as a ``PathTree``.
"""

from typing import Any

from .codec import Decoder, Encoder
from .freezer import ANYWHERE, READ_AHEAD, Freezer
from .languages import of_the_site
from .lists import MAX_ITEMS
from .paths import PathTree
from .permitted import AT_PERSON

__all__ = ["MAX_ITEMS", "READ_AHEAD", "Decoder", "Encoder", "freeze"]


def freeze(context: dict[str, Any], tree: PathTree, *, fresh: bool = False) -> dict[str, Any]:
    """Resolve each path of ``tree`` on ``context`` (name → live object) once, and return nested plain
    data.

    ``fresh``: its objects were loaded a moment ago. What no event may hold (see ``permitted``) is left out.
    DataRefused for what can be read only once, and for more than ``budget`` has.
    """
    freezer = Freezer()
    with of_the_site():
        return {
            name: freezer.freeze(context.get(name), branch, fresh, AT_PERSON if name == "user" else ANYWHERE)
            for name, branch in tree.items()
            if name in context
        }
