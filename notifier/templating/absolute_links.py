"""Links to the site in what leaves it: a path gets the site's address before it. Called by ``contents``.

``root`` is what paths begin with, such as ``https://shop.example.com``; blank for what is read in the site.

Note [paths in data]: what an object's `get_absolute_url` and a file's `url` give is made absolute in the
data, so that a text has it as well. Where the template has the host already, as in
``https://shop.example.com{{ instance.get_absolute_url }}``, its own stays.

Note [paths in texts]: nothing tells a path in a text from other words, so a text that is made from an HTML
has MARK before each address.
"""

import re
from collections.abc import Callable
from typing import Any

from django.template.base import VariableNode

from .data import FrozenObject
from .paths import PathTree
from .provenance import SIGN
from .residue import Binding, Choice, Residue, Spaceless, Subtree, Value
from .specialising import Specialised

MARK = "\ue006"
METHOD = "get_absolute_url"
_NAMES = "href|src|action|background|poster|cite|longdesc|formaction|data"
QUOTE = """(?:["']|&quot;|&#x27;|&#39;)?"""
ATTRIBUTE = re.compile(
    rf"""(\s(?:[\w-]+:)?(?:{_NAMES})\s*=\s*["']?|\burl\(\s*{QUOTE})(//?|\?)""", re.IGNORECASE
)
OPEN_ATTRIBUTE = re.compile(rf"""\s(?:[\w-]+:)?(?:{_NAMES}|srcset)\s*=\s*["']?\Z""", re.IGNORECASE)
SRCSET = re.compile(r"""(\ssrcset\s*=\s*)("[^"]*"|'[^']*')""", re.IGNORECASE)
CANDIDATE = re.compile(r"""(^["']\s*|,\s+)(//?)""")
MARKED = re.compile(f"{MARK}(//?|\\?)?")
# A host before the site's own address, and nothing after it.
HOST = re.compile(r"(?:https?://)?[\w.:%-]+/?")
BOUNDARY = re.compile(r"""[\s"'<>()\[\]{},;=|\\]""")
MAX_HOST_CHARACTERS = 300


def absolute_data(data: Any, root: str) -> Any:
    """``data`` with the paths that objects and files give made absolute; see note [paths in data]."""
    if not root:
        return data
    if isinstance(data, list):
        return [absolute_data(each, root) for each in data]
    if not isinstance(data, dict):
        return data
    found = {name: absolute_data(each, root) for name, each in data.items()}
    is_object, is_file = "model" in data and "pk" in data, isinstance(data, FrozenObject) and "" in data
    for name in (METHOD,) if is_object else ("url",) if is_file else ():
        if isinstance(path := found.get(name), str) and path.startswith("/"):
            found[name] = _whole("/" if path[1:2] != "/" else "//", root) + path.lstrip("/")
    return type(data)(found)


def has_paths(tree: PathTree) -> bool:
    """Whether ``tree`` reads what ``absolute_data`` changes."""
    return any(name in (METHOD, "url") or has_paths(branch) for name, branch in tree.items())


def absolute_text(text: str, root: str) -> str:
    """A text that was rendered, with its marks as addresses."""
    if MARK in text:
        text = MARKED.sub(lambda found: _whole(found[1] or "", root), text)
    return _once(text, root)


def absolute_html(html: str, root: str) -> str:
    """An HTML, or a piece of one, with the paths in its attributes and styles made absolute."""
    if not root:
        return html
    html = ATTRIBUTE.sub(lambda found: found[1] + _whole(found[2], root), html)
    html = SRCSET.sub(
        lambda found: found[1] + CANDIDATE.sub(lambda each: each[1] + _whole(each[2], root), found[2]), html
    )
    return _once(html, root)


def absolute_link(link: str, root: str) -> str:
    """The link of a message, as ``safe_links`` let it through."""
    return root + link if root and link.startswith("/") else link


def absolute_part(part: Specialised, root: str) -> Specialised | None:
    """``part`` with absolute links, for everybody; None where it is to be done for each person, as a value of
    theirs may stand where a path begins.
    """
    if not root:
        return part
    residue = _mapped(part.residue, lambda text: absolute_html(text, root))
    return None if residue is None else Specialised(part.template, residue)


def _whole(start: str, root: str) -> str:
    """What stands for the ``start`` of an address: of a path, of one without a scheme, of a query."""
    if not root:
        return start
    return {"/": f"{root}/", "//": f"{root.partition('//')[0]}//", "?": f"{root}/?"}.get(start, start)


def _once(text: str, root: str) -> str:
    """``text`` without the site's address where another host stands right before it."""
    if not root or text.count(root) == 0:
        return text
    first, *others = text.split(root)
    pieces = [first]
    for piece in others:
        before = SIGN.sub("", "".join(pieces[-2:])[-MAX_HOST_CHARACTERS:])
        word = BOUNDARY.split(before)[-1]
        if piece.startswith("/") and word and HOST.fullmatch(word):
            pieces.append(piece[1:] if word.endswith("/") else piece)
        else:
            pieces += [root, piece]
    return "".join(pieces)


def _mapped(residue: Residue, change: Callable[[str], str]) -> Residue | None:
    parts: list[Any] = []
    for part in residue.parts:
        if isinstance(part, str):
            parts.append(change(part))
        elif parts and isinstance(parts[-1], str) and OPEN_ATTRIBUTE.search(parts[-1][-40:]):
            return None
        elif (hole := _mapped_hole(part, change)) is not None:
            parts.append(hole)
        else:
            return None
    return Residue(parts, residue.iterations, residue.output_bytes, residue.work)


def _mapped_hole(hole: Any, change: Callable[[str], str]) -> Any:
    match hole:
        case Value() | Subtree(nodes=[VariableNode()]):
            return hole
        case Choice():
            branches = [(test, _mapped(body, change)) for test, body in hole.branches]
            return Choice(branches, hole.values) if all(body for _, body in branches) else None
        case Binding() | Spaceless():
            if (body := _mapped(hole.body, change)) is None:
                return None
            return Spaceless(body) if isinstance(hole, Spaceless) else Binding(hole.bound, hole.values, body)
    return None
