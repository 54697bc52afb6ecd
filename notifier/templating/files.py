"""Template files of the project, read where Django looks for templates and nowhere else.

Called by ``models.templates``, which keeps a copy. They may say what a template in the database may say:
their source is compiled by the same engine.
"""

import re

from django.core.exceptions import SuspiciousOperation
from django.template import TemplateDoesNotExist, engines
from django.template.backends.django import DjangoTemplates

from ..exceptions import TemplateRefused

# A relative path without hidden folders, "..", or anything that a file system takes for something else.
NAME = re.compile(
    r"(?:[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*/)*[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*\.(?:html|txt)"
)

# The parts of a content that a file stands for.
PARTS = ("text", "html")


def read_parts(name):
    """``(text, html)`` of the file. Beside an HTML file, one of the same name that ends in .txt is its text.

    Raises TemplateRefused, with the part ``file``.
    """
    if not NAME.fullmatch(name):
        raise TemplateRefused(
            f"“{name[:80]}” is no name of a template file. It ends in .html or .txt and is "
            "found below a folder of templates, "
            "such as emails/welcome.html.",
            part="file",
        )
    source = _read(name)
    if source is None:
        raise TemplateRefused(f"There is no template file “{name}” in the folders of templates.", part="file")
    if name.endswith(".txt"):
        return source, ""
    return _read(f"{name.removesuffix('.html')}.txt") or "", source


def _read(name):
    for engine in engines.all():
        if isinstance(engine, DjangoTemplates):
            for loader in engine.engine.template_loaders:
                if (source := _read_by(loader, name)) is not None:
                    return source
    return None


def _read_by(loader, name):
    try:
        for origin in loader.get_template_sources(name):
            try:
                return loader.get_contents(origin)
            except TemplateDoesNotExist:
                continue
    except (SuspiciousOperation, OSError, UnicodeDecodeError) as error:
        raise TemplateRefused(
            f"The template file “{name}” cannot be read: {type(error).__name__}.", part="file"
        ) from error
    return None
