"""The layouts that templates extend, found by name in a Book. Called by ``contents``, which compiles the
whole.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..exceptions import TemplateRefused
from . import languages
from .blocks import HAS_BLOCKS, put_together, read_outline
from .braces import check_braces
from .compiler import MAX_WHOLE_BYTES, CompiledPart, TemplateWithBlocks, compile_part

MAX_LAYOUTS = 5
LINE = re.compile(r"^Line \d+: ")


@dataclass(frozen=True, kw_only=True)
class Whole:
    """One part with its layouts: compiled, and the key of the template that it extends itself, or None."""

    compiled: CompiledPart
    layout: int | None = None


# A template's key, and its sources: language → part → source.
Layout = tuple[int, dict[str, dict[str, str]]]


class Book:
    """The layouts of one channel, read by the model that holds the rows; each name once.

    ``names()``: all that there are, sorted.
    """

    def __init__(
        self,
        channel: str,
        *,
        read: Callable[[str], Layout | None] = lambda name: None,
        names: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self.channel, self.names, self._read = channel, names, read
        self._found: dict[str, Layout | None] = {}

    def find(self, name: str) -> Layout | None:
        """The Layout of that name, or None."""
        if name not in self._found:
            self._found[name] = self._read(name)
        return self._found[name]


def whole_part(part: str, source: str, *, name: str, language: str, book: Book) -> Whole:
    """One part of the template ``name``, compiled with the layouts that it extends.

    TemplateRefused has the line of ``source``.
    """
    if not HAS_BLOCKS.search(source):
        return Whole(compiled=check_braces(compile_part(source, html=part == "html"), part))
    try:
        # Its own errors first, which have lines that its author knows.
        own = compile_part(source, html=part == "html", template_class=TemplateWithBlocks)
        check_braces(own, part, is_whole=False)
        outlines, layout = _outlines(part, source, name, language, book)
        whole = put_together(outlines)
    except TemplateRefused as error:
        raise TemplateRefused(str(error), part=part, line=error.line) from error
    try:
        compiled = compile_part(whole, html=part == "html", max_bytes=MAX_WHOLE_BYTES)
        check_braces(compiled, part)
    except TemplateRefused as error:
        # A line of the whole is nobody's.
        raise TemplateRefused(f"With its layouts: {LINE.sub('', str(error))}", part=part) from error
    if "block" in compiled.paths:
        raise TemplateRefused("“block.super” stands alone, and inside a block: {{ block.super }}.", part=part)
    return Whole(compiled=compiled, layout=layout)


def _outlines(part, source, name, language, book):
    outlines, names, layout = [read_outline(source)], [name], None
    while wanted := outlines[-1].extends:
        if wanted in names:
            circle = " → ".join(f"“{each}”" for each in [*names, wanted])
            raise TemplateRefused(f"A template cannot extend itself: {circle}.")
        if len(names) > MAX_LAYOUTS:
            raise TemplateRefused(f"Layouts extend each other more than {MAX_LAYOUTS} deep.")
        key, found = _layout(part, wanted, name, language, book)
        layout = layout or key
        outlines.append(read_outline(found))
        names.append(wanted)
    return outlines, layout


def _layout(part, wanted, name, language, book):
    found = book.find(wanted)
    if found is None:
        others = ", ".join(f"“{each}”" for each in book.names() if each != name) or "none"
        raise TemplateRefused(
            f"There is no template “{wanted}” for {book.channel or 'this channel'}. There are: {others}."
        )
    key, sources = found
    chosen = language if language in sources else languages.choose(sources, language)
    if not sources[chosen][part].strip():
        raise TemplateRefused(
            f"The layout “{wanted}” has no {'HTML' if part == 'html' else 'text'} for {book.channel}."
        )
    return key, sources[chosen][part]
