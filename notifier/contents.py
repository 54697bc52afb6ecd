"""Template contents, compiled once a version and specialised once an event. Next hop: ``lambdas._handler`` renders with them."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from .exceptions import NotifierError, TemplateRefused
from .plaintext import html_to_text, text_template_from_html, tidy_text
from .rendering import specialise
from .templating import CompiledPart, compile_part, merge_paths


@dataclass(frozen=True, kw_only=True)
class CompiledContent:
    """The compiled parts of one version.

    ``text`` is None where the text is to be made from each rendered HTML; ``text_is_made``: its template was made from the HTML's.
    """

    subject: CompiledPart
    text: CompiledPart | None
    html: CompiledPart
    text_is_made: bool = False

    @property
    def paths(self):
        parts = [self.subject, self.html, self.text]
        return merge_paths(*(part.paths for part in parts if part))


def compile_content(subject, text, html):
    """Compile the parts as they are edited. Raises TemplateRefused, whose ``part`` says where."""
    return CompiledContent(
        subject=_compile("subject", subject), text=_compile("text", text), html=_compile("html", html, html=True)
    )


def _compile(part, source, *, html=False):
    try:
        return compile_part(source, html=html)
    except TemplateRefused as error:
        raise TemplateRefused(str(error), part=part, line=error.line) from error


def render_draft(parts, *, template=None, channel="", language="", time_zone="", data, user):
    """A message as it would be sent, from parts that nobody has saved: ``{"subject", "text", "html"}``.

    Raises TemplateRefused, with ``part`` and, where known, ``line``, also for what goes wrong while it is rendered.
    """
    compiled = compile_content(*(parts.get(name, "") for name in ("subject", "text", "html")))
    if parts.get("html", "").strip() and not parts.get("text", "").strip():
        compiled = CompiledContent(subject=compiled.subject, text=None, html=compiled.html)
    try:
        return EventContent(compiled, data).render(user)
    except Exception as error:
        text = str(error) if isinstance(error, NotifierError) else f"It cannot be rendered: {type(error).__name__}."
        raise TemplateRefused(text, part="html" if parts.get("html") else "text") from error


def text_template(text, html):
    """The template of a blank text part, made from the HTML's source; None where there is none to make, or no exact one."""
    return text_template_from_html(html) if html and not text.strip() else None


@lru_cache(maxsize=256)
def compiled_version(pk):
    """The CompiledContent of the version ``pk``. Versions never change, so it is kept as long as the process."""
    from .models import ContentVersion

    version = ContentVersion.objects.get(pk=pk)
    is_made = bool(version.html) and not version.text.strip()
    text = version.text_from_html if is_made else version.text
    return CompiledContent(
        subject=_compile("subject", version.subject),
        text=None if text is None else _compile("text", text),
        html=_compile("html", version.html, html=True),
        text_is_made=is_made,
    )


def mended_version(event_id, version_id):
    """The newest version of the same content, if the event holds everything that it reads; else ``version_id`` itself."""
    from .models import ContentVersion, Event

    newest = ContentVersion.objects.filter(content__versions=version_id).order_by("-number").first()
    if newest is None or newest.pk == version_id:
        return version_id
    plan = Event.objects.values_list("plan", flat=True).get(pk=event_id)
    planned = {pk for step in plan for pk in step["contents"].values()}
    held = merge_paths(*ContentVersion.objects.filter(pk__in=planned).values_list("paths", flat=True))
    wanted = {name: branch for name, branch in newest.paths.items() if name != "user"}
    return newest.pk if merge_paths(held, wanted) == held else version_id


class EventContent:
    """One version for one event, specialised at the first rendering: what is the same for everybody is rendered once."""

    def __init__(self, compiled, data):
        self._compiled, self._data, self._specialised = compiled, data, None
        self.user_paths = compiled.paths.get("user", {})

    def render(self, user):
        """``{"subject": …, "text": …, "html": …}`` for one person's frozen data. Raises what the template raises."""
        if self._specialised is None:
            parts = self._compiled.subject, self._compiled.text, self._compiled.html
            self._specialised = [part and specialise(part, self._data) for part in parts]
        subject, text, html = self._specialised
        html_body = html.render(user)
        text_body = text.render(user) if text else html_to_text(html_body)
        if self._compiled.text_is_made:
            text_body = tidy_text(text_body)
        return {"subject": one_line(subject.render(user)), "text": text_body.strip(), "html": html_body}


def one_line(text):
    """``text`` without line breaks and control characters, which a header would end or hide behind."""
    if text.isprintable():
        return text.strip()
    return " ".join("".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text).split())
