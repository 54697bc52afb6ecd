"""Braces that were meant for the template language and are left over as text. Called by ``layouts`` and
``contents`` when a template is saved, and by previews for what was rendered.

Django takes `{{ name` without its end for text, and so it would go out. Braces of JSON and of style sheets
are no fault: they come one by one, and what closes was opened.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from django.template import Node
from django.template.base import TextNode
from django.template.defaulttags import IfNode

from ..exceptions import TemplateRefused
from .compiler import CompiledPart
from .paths import children_of

MARK = re.compile(r"\{\s*\{|\{%|\{#|%\}|#\}|\}\}|[{}]")
# In a style sheet these mean nothing else: `100%}`, `{#id{`, `}}` are its own.
IN_STYLE = ("{{", "{%")
STYLE = re.compile(r"<(/?)style\b", re.IGNORECASE)
SHOWN = 40

LITERALLY = "Braces that are to be shown stand between {% verbatim %} and {% endverbatim %}."
OPENED = {"{{": "}}", "{%": "%}", "{#": "#}"}


class State(NamedTuple):
    """What is open at a place: so many braces, and a style sheet."""

    opened: int = 0
    is_style: bool = False


class Stray(NamedTuple):
    """A mark that is left over, where it begins in its text, and what is wrong with it in words."""

    place: int
    words: str


def check_braces(part: CompiledPart, name: str, *, is_whole: bool = True) -> CompiledPart:
    """The part ``name`` itself. TemplateRefused where a mark of the language is left over in what it shows.

    Of one that is not whole nobody knows what was opened before it.
    """
    try:
        _walk(part.template.nodelist, State(0 if is_whole else len(part.source)), part.html)
    except TemplateRefused as error:
        raise TemplateRefused(str(error), part=name, line=error.line) from error
    return part


def find_stray(text: str, *, html: bool) -> Stray | None:
    """The first mark of the language in a text that was rendered, or None."""
    return _scan(text, State(), html)[0]


def _walk(nodes: Iterable[Node], state: State, html: bool) -> State:
    for node in nodes:
        if type(node) is TextNode:
            stray, state = _scan(node.s, state, html)
            if stray:
                line = node.token.lineno + node.s.count("\n", 0, stray.place)
                raise TemplateRefused(f"Line {line}: {stray.words}", line=line)
            continue
        branches = (
            [body for _, body in node.conditions_nodelists] if type(node) is IfNode else children_of(node)
        )
        # Each goes on from here; what comes after them, from the one that leaves most open.
        state = max([_walk(body, state, html) for body in branches], default=state)
    return state


def _scan(text: str, state: State, html: bool) -> tuple[Stray | None, State]:
    opened, is_style = state
    sheets = STYLE.finditer(text) if html else iter(())
    sheet = next(sheets, None)
    for found in MARK.finditer(text):
        while sheet and sheet.start() < found.start():
            is_style, sheet = not sheet[1], next(sheets, None)
        mark = found[0]
        if (is_style and mark in IN_STYLE) or (not is_style and _is_stray(mark, opened)):
            return Stray(found.start(), _say(text[found.start() :])), state
        opened = max(0, opened + mark.count("{") - mark.count("}"))
    for last in (sheet, *sheets) if sheet else ():
        is_style = not last[1]
    return None, State(opened, is_style)


def _is_stray(mark: str, opened: int) -> bool:
    return len(mark) > 1 and (mark != "}}" or opened < 2)


def _say(rest: str) -> str:
    shown = rest.split("\n")[0][:SHOWN].rstrip()
    if end := OPENED.get(rest[:2]):
        return f"“{shown}” is not closed: {end} is missing, on the same line. {LITERALLY}"
    if rest.startswith("{"):
        return f"“{shown}” is no name: its two braces stand apart. {LITERALLY}"
    return f"“{rest[:2]}” closes nothing that was opened. {LITERALLY}"
