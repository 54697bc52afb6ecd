"""One version for one event, rendered for each person. Calls ``contents``, which compiles it."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ..channels.cutting import start_of
from ..channels.site_address import site_address
from ..exceptions import NotifierError, TemplateRefused
from . import languages, layouts
from .absolute_links import (
    absolute_data,
    absolute_html,
    absolute_link,
    absolute_part,
    absolute_text,
    has_paths,
)
from .contents import PARTS, CompiledContent, Named, compile_content
from .data import LINKS, PERSONAL, SITE
from .inlining import Inlined
from .provenance import take_apart
from .safe_links import MAX_ICON_CHARACTERS, checked_link
from .specialising import specialise

# Control characters, the line breaks of other alphabets, what turns letters around, and halves of characters.
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202d\u202e\ud800-\udfff]+")


def render_unsaved(
    parts: Mapping[str, str],
    *,
    template: Named | None = None,
    channel: str = "",
    language: str = "",
    time_zone: str = "",
    book: layouts.Book | None = None,
    data: dict[str, Any],
    user: dict[str, Any],
    links: dict[str, str],
    own: Mapping[str, Any] = MappingProxyType({}),
    root: str = "",
) -> dict[str, str]:
    """A message as it would be sent, from parts that nobody has saved: a text for each of PARTS.

    ``links`` are the person's own, by the names that templates read; ``own``: what providers add for them.
    ``book``: what may be extended. ``root``: see EventContent. Raises TemplateRefused,
    with ``part`` and perhaps ``line``, also for what goes wrong while it is rendered.
    """
    sources = [parts.get(name, "") for name in PARTS]
    compiled = compile_content(*sources, template=template, channel=channel, language=language, book=book)
    if sources[2].strip() and not sources[1].strip():
        compiled = replace(compiled, text=None, text_is_made=True)
    content = EventContent(
        compiled, data, language=language, time_zone=time_zone, own_names=frozenset(own), root=root
    )
    with content.in_its_language():
        try:
            return content.render(user, links, own)
        except Exception as error:
            text = (
                str(error)
                if isinstance(error, NotifierError)
                else f"It cannot be rendered: {type(error).__name__}."
            )
            raise TemplateRefused(
                text, part=_failing_part(compiled, data | {"user": user} | links | dict(own))
            ) from error


def _failing_part(compiled: CompiledContent, data: dict[str, Any]) -> str:
    for name, part in compiled.parts().items():
        try:
            part.render(data)
        except Exception:  # it is being looked for
            return name
    return "html"


class EventContent:
    """One version for one event, in one language and time zone: what is the same for everybody is rendered
    once, at the first rendering. ``own_names``: what providers add for each person. ``root``: what paths of
    the site begin with, blank in the site itself.
    """

    def __init__(
        self,
        compiled: CompiledContent,
        data: dict[str, Any],
        *,
        language: str = "",
        time_zone: str = "",
        own_names: frozenset[str] = frozenset(),
        tells_data_apart: bool = False,
        root: str = "",
    ) -> None:
        self._compiled, self._root = compiled, root
        self.data = {SITE: site_address()} | absolute_data(data, root)
        self._personal = PERSONAL | own_names
        # A text that is made from the HTML is all data: what of it was the template's nobody knows any more.
        self._marks_data = bool(tells_data_apart and compiled.text and not compiled.text_is_made)
        self._specialised: tuple[Any, ...] | None = None
        self._language, self._time_zone = language, time_zone
        paths = compiled.paths
        self.user_paths, self.link_names = paths.get("user", {}), paths.keys() & set(LINKS)
        self.own_paths = {name: branch for name, branch in paths.items() if name in own_names}
        self._has_own_paths = bool(root) and (has_paths(self.user_paths) or has_paths(self.own_paths))

    def in_its_language(self) -> AbstractContextManager[None]:
        """The context to render in: many people at once, as it costs more than one of them."""
        return languages.in_language(self._language, self._time_zone)

    def render(
        self,
        user: dict[str, Any],
        links: dict[str, str] | None = None,
        own: Mapping[str, Any] = MappingProxyType({}),
    ) -> dict[str, Any]:
        """A text for each of PARTS, for one person's frozen data, links and what is their ``own``; with
        ``from_data``, where data is told apart: see ``channels.message``. Raises what the template raises.

        To be called in ``in_its_language()``.
        """
        if self._specialised is None:
            self._specialised = self._specialise()
        subject, text, html, link, icon, inlined, is_absolute = self._specialised
        if self._has_own_paths:
            user, own = absolute_data(user, self._root), absolute_data(dict(own), self._root)
        links = {**(links or {}), **own}
        if text and not self._compiled.text_is_made:
            text_body = text.render(user, links)
        else:
            # It needs lxml, which only the packages of functions that write HTML have.
            from .plaintext import marked_text, tidy_text

            # Styles in the elements would show in the text: it is made from the HTML as it was before.
            text_body = tidy_text(text.render(user, links) if text else marked_text(html.render(user, links)))
        text_body = self._absolute(text_body)
        text_body, spans = take_apart(text_body) if self._marks_data else (text_body.strip(), None)
        html_body = inlined.render(user, links)
        return ({} if spans is None else {"from_data": spans}) | {
            "subject": one_line(self._absolute(subject.render(user, links))),
            "text": text_body,
            "html": html_body if is_absolute else absolute_html(html_body, self._root),
            "link": self._link(checked_link(self._absolute(link.render(user, links)))) if link else "",
            "icon": self._icon(icon.render(user, links)) if icon else "",
        }  # fmt: skip

    def _specialise(self) -> tuple[Any, ...]:
        found = {
            name: specialise(part, self.data, self._personal, marks_data=self._marks_data and name == "text")
            for name, part in self._compiled.parts().items()
        }
        inlined = Inlined(found["html"])
        is_absolute = inlined.change(lambda part: absolute_part(part, self._root))
        return *(found.get(name) for name in PARTS), inlined, is_absolute and not self._has_own_paths

    def _absolute(self, text: str) -> str:
        return absolute_text(text, self._root)

    def _icon(self, icon: str) -> str:
        return start_of(self._link(one_line(icon)), MAX_ICON_CHARACTERS)

    def _link(self, link: str) -> str:
        return absolute_link(link, self._root)


def one_line(text: str) -> str:
    """``text`` without line breaks and control characters, which a header would end or hide behind.

    All else stays: letters and emoji are joined by characters that nobody sees, and there are newer ones than
    Python's tables know.
    """
    return " ".join(filter(None, (piece.strip(" ") for piece in UNSEEN.split(text)))).strip()
