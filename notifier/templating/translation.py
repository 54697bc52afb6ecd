"""``{% translate "Hello" %}`` over plain data, from the catalogues of the project."""

from django.template import Node, TemplateSyntaxError
from django.utils.formats import localize
from django.utils.html import conditional_escape
from django.utils.safestring import SafeData, mark_safe
from django.utils.translation import gettext, pgettext

USAGE = (
    'Write {%% %(tag)s "Hello" %%}, {%% %(tag)s "May" context "month" %%} or {%% %(tag)s "Hello" '
    "as greeting %%}."
)


class TranslateNode(Node):
    """A text of the project's catalogues.

    As in Django, what stands in the template is safe, and what comes from data is escaped.
    """

    def __init__(self, message, message_context, asvar):
        self.message, self.message_context, self.asvar = message, message_context, asvar

    def render(self, context):
        value = self.message.resolve(context)
        safe = isinstance(value, SafeData)
        # Django's catalogues write a percent sign twice in any case; nothing is ever put in its place here.
        asked = (value if isinstance(value, str) else str(localize(value))).replace("%", "%%")
        found = (
            pgettext(str(self.message_context.resolve(context)), asked)
            if self.message_context
            else gettext(asked)
        )
        text = found.replace("%%", "%")
        # The one that asked answers for what it is: a translation of it is not safer, and not less safe.
        text = mark_safe(text) if safe else text  # noqa: S308
        if self.asvar:
            context[self.asvar] = text
            return ""
        return conditional_escape(text) if context.autoescape else text


def translate(parser, token):
    """``translate "text"``, with ``context "…"`` for one of two meanings, and ``as name``."""
    tag, *words = token.split_contents()
    message, message_context, asvar = words[0] if words else "", None, None
    options = words[1:]
    while len(options) > 1 and options[0] in ("context", "as"):
        word, value, *options = options
        if word == "context" and message_context is None:
            message_context = parser.compile_filter(value)
        elif word == "as" and asvar is None and value.isidentifier():
            asvar = value
        else:
            break
    else:
        if message and not options:
            return TranslateNode(parser.compile_filter(message), message_context, asvar)
    raise TemplateSyntaxError(USAGE % {"tag": tag})
