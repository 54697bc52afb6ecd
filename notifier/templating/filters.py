"""The tags and filters that an administrator may type, with bounds on those that allocate."""

import functools
import json
import re

from django.core.serializers.json import DjangoJSONEncoder
from django.template import Library, Node
from django.template.defaultfilters import register as builtin_filters
from django.template.defaulttags import VerbatimNode, register as builtin_tags
from django.templatetags.l10n import register as number_filters
from django.utils.formats import localize
from django.utils.timezone import template_localtime

from ..channels.combining import stream_safe
from ..exceptions import TemplateTooLarge
from .data import FrozenObject
from .translation import translate
from .work import PLAIN, input_cost, of_plain

MAX_OUTPUT_BYTES = 256 * 1024

# Django's own as they are; those with bounds of their own are written below.
TAGS = "comment cycle firstof for if ifchanged now spaceless templatetag widthratio with"
FILTERS = (
    "capfirst cut date default default_if_none divisibleby escape filesizeformat first "
    "force_escape get_digit "
    "iriencode last length linebreaks linebreaksbr lower pluralize slice slugify striptags "
    "time timesince timeuntil title "
    "truncatechars truncatechars_html truncatewords truncatewords_html upper urlencode "
    "wordcount wordwrap yesno"
)
# Of these, those that normalise their text.
NORMALISING = "slugify truncatechars truncatechars_html"

HUNDRED_DIGITS = re.compile(r"\d{3}")


def _bounded(function):
    """The filter, taking the context before its argument: it counts what it works on and what it makes, and
    refuses results that could never be part of a message.
    """
    name = function._filter_name
    (call, factor), cost_of_input = of_plain(name), input_cost(name)

    @functools.wraps(function)
    def bounded(value, context, *args, **kwargs):
        if args or type(value) not in PLAIN:
            work = cost_of_input(value, *args)
        else:  # most are, and a call less is a tenth of what a filter takes
            work = call + factor * value.__sizeof__()
        context.work += work
        if context.work > context.most_work:
            context.count_work(0)
        result = function(value, *args, **kwargs)
        if result is not value:
            if isinstance(result, str) and len(result) > MAX_OUTPUT_BYTES:
                raise TemplateTooLarge(f"The filter “{name}” made more than {MAX_OUTPUT_BYTES:,} characters.")
            context.work += result.__sizeof__()  # looked at by what comes next
        return result

    return bounded


def add(value, arg):
    """The sum of two whole numbers, else two strings in a row. Unlike Django's, it never joins lists."""
    try:
        return int(value) + int(arg)
    except (ValueError, TypeError, OverflowError):
        both_text = isinstance(value, str) and isinstance(arg, str)
        return value + arg if both_text and len(value) + len(arg) <= MAX_OUTPUT_BYTES else ""


def join(value, arg, autoescape=True):
    """Django's ``join``, counted before it allocates: a list of many times a separator of many characters."""
    if not isinstance(value, (list, tuple)):
        return value
    texts = [str(item) if isinstance(item, FrozenObject) else item for item in value]
    if len(texts) * len(str(arg)) > MAX_OUTPUT_BYTES:
        raise TemplateTooLarge(f"The filter “join” would make more than {MAX_OUTPUT_BYTES:,} characters.")
    return builtin_filters.filters["join"](texts, arg, autoescape=autoescape)


def floatformat(text, arg=-1):
    """Django's ``floatformat`` with at most 99 decimals."""
    if HUNDRED_DIGITS.search(str(arg)):
        raise TemplateTooLarge("The filter “floatformat” takes at most 99 decimals.")
    return builtin_filters.filters["floatformat"](text, arg)


def _on_few_marks(name):
    """Django's filter ``name``, of a text with no more marks on a letter than can be normalised."""
    function = builtin_filters.filters[name]

    @functools.wraps(function)
    def filtered(value, *args):
        return function(value if isinstance(value, (int, float)) else stream_safe(str(value)), *args)

    return filtered


def oneline(value):
    """The value as ``{{ }}`` shows it, on one line with single spaces, as HTML shows any text."""
    return " ".join(str(localize(template_localtime(value))).split())


def lines(value):
    """The value's own lines, each with single spaces: what ``linebreaks`` shows of it."""
    return "\n".join(" ".join(line.split()) for line in str(localize(template_localtime(value))).splitlines())


def as_json(value):
    """The value as it stands in a JSON document, a text with its quotation marks; an object is what ``{{ }}``
    shows of it.
    """
    return json.dumps(_plain(value), cls=DjangoJSONEncoder, ensure_ascii=False)


def _plain(value):
    if isinstance(value, FrozenObject) and "" in value:
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def verbatim(parser, token):
    """Django's ``verbatim``, which would render its text while it compiles, out of reach of the counters."""
    texts = parser.parse(("endverbatim",))
    parser.delete_first_token()
    return VerbatimNode("".join(node.s for node in texts))


def _allowed_library():
    library = Library()
    library.tags = {name: builtin_tags.tags[name] for name in TAGS.split()}
    library.tags |= {"verbatim": verbatim, "translate": translate, "trans": translate}
    library.filter("add", add)
    library.filter("json", as_json)
    library.filter("lines", lines, is_safe=True)
    library.filter("oneline", oneline, is_safe=True)
    library.filter("join", join, is_safe=True, needs_autoescape=True)
    library.filter("floatformat", floatformat, is_safe=True)
    library.filter("localize", number_filters.filters["localize"], is_safe=False)
    library.filter("unlocalize", number_filters.filters["unlocalize"], is_safe=False)
    chosen = {name: builtin_filters.filters[name] for name in FILTERS.split()}
    chosen |= {name: _on_few_marks(name) for name in NORMALISING.split()} | library.filters
    library.filters = {name: _bounded(function) for name, function in chosen.items()}
    return library


class BlockNode(Node):
    """A block of a source that is compiled for its errors alone; ``layouts`` puts blocks into their
    places.
    """

    def __init__(self, nodelist=()):
        self.nodelist = nodelist


def block(parser, token):
    nodelist = parser.parse(("endblock",))
    parser.delete_first_token()
    return BlockNode(nodelist)


def _block_library():
    library = Library()
    library.tags = {"block": block, "extends": lambda parser, token: BlockNode()}
    return library


LIBRARY = _allowed_library()
# For sources of a template that extends another, or that others extend.
BLOCKS = _block_library()
