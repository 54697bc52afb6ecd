"""Template contents, compiled once a version. Called by ``rendering``, which makes messages of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..channels.storable import is_storable
from ..exceptions import TemplateRefused, UnreadablePath
from . import layouts
from .braces import check_braces
from .compiler import MAX_SOURCE_BYTES, MAX_WHOLE_BYTES, CompiledPart, compile_part, merge_paths
from .paths import PathTree
from .permitted import check_person

# What a content consists of; each is a template of its own. Which of them are shown is the channel's affair.
PARTS = ("subject", "text", "html", "link", "icon")


@dataclass(frozen=True, kw_only=True)
class CompiledContent:
    """The compiled parts of one version, with their layouts.

    ``text`` is None where the text is to be made from each rendered HTML; ``text_is_made``: its template was
    made from the HTML's. ``layout``: the key of the template that it extends. ``link`` and ``icon`` are None
    where they are blank.
    """

    subject: CompiledPart
    text: CompiledPart | None
    html: CompiledPart
    link: CompiledPart | None = None
    icon: CompiledPart | None = None
    text_is_made: bool = False
    layout: int | None = None

    @property
    def paths(self) -> PathTree:
        return merge_paths(*(part.paths for part in self.parts().values()))

    def parts(self) -> dict[str, CompiledPart]:
        """The compiled parts by name; a text that is made from each HTML is none."""
        return {name: part for name in PARTS if (part := getattr(self, name))}


class Named(Protocol):
    """The part of a template's row that the compiler needs."""

    name: str


def checked_sources(sources: Sequence[str]) -> Sequence[str]:
    """``sources``, one for each of PARTS. TemplateRefused where a column cannot hold one."""
    for part, source in zip(PARTS, sources, strict=True):
        if not is_storable(source):
            raise TemplateRefused("There is a character in it that no database can hold.", part=part)
    return sources


def compile_content(
    subject: str,
    text: str,
    html: str,
    link: str = "",
    icon: str = "",
    *,
    template: Named | None = None,
    channel: str = "",
    language: str = "",
    book: layouts.Book | None = None,
) -> CompiledContent:
    """Compile the parts as they are edited, with the layouts that they extend.

    Raises TemplateRefused, whose ``part`` says where.

    ``template`` is the one that they are of; layouts are found in ``book``, those of ``language`` where there
    is one.
    """
    where: dict[str, Any] = {
        "name": template.name if template else "",
        "language": language,
        "book": book or layouts.Book(channel),
    }
    whole_text = layouts.whole_part("text", text, **where)
    whole_html = layouts.whole_part("html", html, **where)
    if None not in (whole_text.layout, whole_html.layout) and whole_text.layout != whole_html.layout:
        raise TemplateRefused(
            "The text extends another template than the HTML does. Let both extend one.", part="text"
        )
    compiled = CompiledContent(
        subject=compile_named("subject", subject), text=whole_text.compiled, html=whole_html.compiled,
        link=compile_filled("link", link), icon=compile_filled("icon", icon),
        layout=whole_html.layout or whole_text.layout,
    )  # fmt: skip
    for name in ("subject", "link", "icon"):
        if part := getattr(compiled, name):
            check_braces(part, name)
    _check_person(compiled)
    return compiled


def _check_person(compiled: CompiledContent) -> None:
    # Also where no trigger sends it: the person who receives is known.
    for name, part in compiled.parts().items():
        try:
            check_person(part.paths.get("user", {}))
        except UnreadablePath as error:
            raise TemplateRefused(str(error), part=name) from error


def compile_filled(part: str, source: str) -> CompiledPart | None:
    """As ``compile_named``; None where the source is blank."""
    return compile_named(part, source) if source.strip() else None


def compile_named(part: str, source: str) -> CompiledPart:
    """The CompiledPart of one of PARTS. Raises TemplateRefused, whose ``part`` says which."""
    try:
        return compile_part(
            source,
            html=part == "html",
            max_bytes=MAX_WHOLE_BYTES if part in ("text", "html") else MAX_SOURCE_BYTES,
        )
    except TemplateRefused as error:
        raise TemplateRefused(str(error), part=part, line=error.line) from error


def text_template(text: str, html: str) -> str | None:
    """The template of a blank text part, made from the HTML's source; None where there is none to make, or no
    exact one.
    """
    if not html or text.strip():
        return None
    # It needs lxml, which only the packages of functions that write HTML have.
    from .plaintext import text_template_from_html

    return text_template_from_html(html)
