"""The templates that extend another: they must go on to work when it changes.

Called by ``models.templates``, which saves both, or neither.
"""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ..exceptions import TemplateRefused


def extending(content):
    """The contents that extend this one's template on this channel, directly or by others; each once."""
    found, names = {}, [content.template_id]
    while names:
        rows = type(content).objects.filter(layout__in=names, channel=content.channel).exclude(pk__in=found)
        fresh = {row.pk: row for row in rows.select_related("template", "version")}
        found |= fresh
        names = [row.template_id for row in fresh.values()]
    found.pop(content.pk, None)
    return list(found.values())


def renew(content, author=""):
    """Give all that extend ``content`` a version with it as it is now.

    TemplateRefused names those that would break.
    """
    broken = []
    for each in extending(content):
        try:
            compiled = each.compile()
        except TemplateRefused as error:
            broken.append(f"{each}: {error}")
            continue
        type(content).objects.filter(pk=each.pk).update(layout=compiled.layout)
        each.add_version(compiled, author=author, note=f"The layout “{content.template}” has changed.")
    if broken:
        part = "html" if content.html else "text"
        raise TemplateRefused(" ".join(["It would break what extends it.", *broken]), part=part)


def check(content):
    """Raise ValidationError where something that extends ``content`` would not work with it as it would be
    saved.
    """
    found = extending(content)
    if not found:
        return
    _subject, text, html, *_rest = content.sources()
    book = content.book(replaced={"text": text, "html": html})
    broken = [f"{each}: {problem}" for each in found if (problem := _problem(each, book))]
    if broken:
        part = "file" if content.file else "html" if content.html.strip() else "text"
        raise ValidationError({part: [_("It would break what extends it."), *broken]})


def _problem(content, book):
    try:
        compiled = content.compile(book)
        for subscription in content.template.subscriptions.select_related("trigger"):
            if content.channel in subscription.channels:
                content.check_against(subscription.trigger, field="template", compiled=compiled)
    except TemplateRefused as error:
        return str(error)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""
