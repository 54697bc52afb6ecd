"""Compiles what an administrator typed, in Django's template language over plain data alone → rendering."""

from dataclasses import dataclass, field

from django.template import Context, Engine, Node, NodeList, Template, TemplateSyntaxError, Variable, VariableDoesNotExist
from django.template.base import FilterExpression, Lexer, Parser, TokenType
from django.template.defaulttags import ForNode, IfChangedNode, IfNode, SpacelessNode, WithNode
from django.utils.safestring import SafeString

from .exceptions import TemplateRefused, TemplateTooLarge
from .template_filters import LIBRARY, MAX_OUTPUT_BYTES
from .template_paths import merge_paths, names_in, path_names, read_paths

__all__ = ["CompiledPart", "FrozenObject", "compile_part", "merge_paths", "path_names"]

MAX_SOURCE_BYTES = 64 * 1024
MAX_LOOP_ITERATIONS = 10_000
MAX_NESTING = 32
MAX_TAG_WORDS = 200  # Django evaluates a condition recursively, and takes a RecursionError for "false"

SECRET_FRAGMENTS = ("password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "private_key", "privatekey")
SECRET_WORDS = {"hash", "salt", "otp", "totp", "session", "sessionid", "credential", "credentials", "cvv"}


class FrozenObject(dict):
    """An object as an event stores it: its fields by name, and under ``""`` the text that stands for itself."""

    def __str__(self):
        return str(self.get("", ""))

    __repr__ = __str__  # what a template shows of a list of them

    def __bool__(self):
        return True

    def __eq__(self, other):
        if not isinstance(other, dict):
            return str(self) == other
        if {"pk", "model"} <= self.keys() & other.keys():
            return (self["model"], self["pk"]) == (other["model"], other["pk"])
        return str(self) == str(other.get("", ""))

    def __ne__(self, other):  # dict has its own, which would not ask the one above
        return not self == other

    __hash__ = None


class DataVariable(Variable):
    """A name in a template. It looks up dictionary keys and list positions, and nothing else: no attribute, no call."""

    __slots__ = ()

    def __init__(self, var):
        super().__init__(var)
        for segment in self.lookups or ():
            words = segment.lower()
            if any(secret in words for secret in SECRET_FRAGMENTS) or SECRET_WORDS & set(words.split("_")):
                raise TemplateSyntaxError(f"{{{{ {var} }}}} cannot be used: “{segment}” may be a secret.")

    def _resolve_lookup(self, context):
        try:
            value = context[self.lookups[0]]
            for segment in self.lookups[1:]:
                value = value[int(segment)] if isinstance(value, (list, tuple)) else _entry(value, segment)
        except (KeyError, IndexError, ValueError) as error:
            raise VariableDoesNotExist("There is no %s", (self.var,)) from error
        return FrozenObject(value) if type(value) is dict and "" in value else value


def _entry(value, key):
    if not isinstance(value, dict):
        raise KeyError(key)
    return value[key]


class ArgumentVariable(DataVariable):
    """A filter's argument: a missing one is the empty string, where Django's would stop the rendering."""

    __slots__ = ()

    def resolve(self, context):
        try:
            return super().resolve(context)
        except VariableDoesNotExist:
            return ""


class DataExpression(FilterExpression):
    """A value and its filters, as Django parses them, over data variables."""

    def __init__(self, token, parser):
        super().__init__(token, parser)
        if self.is_var:
            self.var = DataVariable(self.var.var)
        self.filters = [
            (function, [(lookup, ArgumentVariable(arg.var) if lookup else arg) for lookup, arg in args])
            for function, args in self.filters
        ]


class DataContext(Context):
    """The data of one rendering, and the counters that bound it."""

    def __init__(self, data, template):
        super().__init__(data, autoescape=template.engine.autoescape)
        self.template = template
        self.iterations = self.output_bytes = 0

    def count_iterations(self, number=1):
        self.iterations += number
        if self.iterations > MAX_LOOP_ITERATIONS:
            raise TemplateTooLarge(f"The loops run more than {MAX_LOOP_ITERATIONS:,} times.")

    def count_output(self, text):
        self.count_bytes(len(text) if text.isascii() else len(text.encode(errors="replace")))

    def count_bytes(self, number):
        self.output_bytes += number
        if self.output_bytes > MAX_OUTPUT_BYTES:
            raise TemplateTooLarge(f"The message is longer than {MAX_OUTPUT_BYTES:,} bytes.")


class Iteration(Node):
    """The body of a loop, counting how often it runs."""

    def __init__(self, nodelist):
        self.nodelist = nodelist

    def render(self, context):
        context.count_iterations()
        return self.nodelist.render(context)


class Nodes(NodeList):
    """A node list that counts its output while it is being made, each byte where it arises."""

    CONTAINERS = {ForNode, IfChangedNode, IfNode, Iteration, SpacelessNode, WithNode}

    def render(self, context):
        parts = []
        for node in self:
            part = node.render_annotated(context)
            if type(node) not in self.CONTAINERS:
                context.count_output(part)
            parts.append(part)
        return SafeString("".join(parts))


class DataParser(Parser):
    """Django's parser with our variables, our node lists, and messages for people who do not program."""

    def compile_filter(self, token):
        return DataExpression(token, self)

    def find_filter(self, filter_name):
        if filter_name not in self.filters:
            allowed = ", ".join(sorted(self.filters))
            raise TemplateSyntaxError(f"There is no filter “{filter_name}” here. Allowed are: {allowed}.")
        return super().find_filter(filter_name)

    def invalid_block_tag(self, token, command, parse_until=None):
        expected = f" Expected here: {', '.join(parse_until)}." if parse_until else ""
        allowed = ", ".join(sorted(self.tags))
        raise self.error(token, f"There is no tag “{command}” here.{expected} Allowed are: {allowed}.")

    def unclosed_block_tag(self, parse_until):
        command, token = self.command_stack.pop()
        raise self.error(token, f"The tag “{command}” is not closed. Add {{% {parse_until[-1]} %}}.")

    def next_token(self):
        token = super().next_token()
        if token.token_type == TokenType.BLOCK and len(token.contents.split()) > MAX_TAG_WORDS:
            raise self.error(token, f"A tag holds at most {MAX_TAG_WORDS} words.")
        return token

    def parse(self, parse_until=None):
        if len(self.command_stack) > MAX_NESTING:
            raise TemplateSyntaxError(f"Tags are nested more than {MAX_NESTING} deep.")
        return Nodes(super().parse(parse_until))

    def extend_nodelist(self, nodelist, node, token):
        if type(node) is ForNode:
            body = Iteration(node.nodelist_loop)
            body.names = names_in(body)
            node.nodelist_loop = Nodes([body])
        node.names = names_in(node)
        super().extend_nodelist(nodelist, node, token)


class DataTemplate(Template):
    def compile_nodelist(self):
        return DataParser(Lexer(self.source).tokenize(), {}, [LIBRARY], self.origin).parse()


ENGINES = {html: Engine(loaders=[], autoescape=html) for html in (True, False)}


@dataclass(frozen=True, eq=False)
class CompiledPart:
    """One part of a template version, compiled once and kept. ``paths`` is the tree of what it reads."""

    source: str
    html: bool
    template: DataTemplate = field(repr=False)
    paths: dict = field(repr=False)

    def render(self, data):
        """The text for ``data`` (the event's and ``user``). TemplateTooLarge past a bound; a filter's own error passes."""
        return "".join([self.template.nodelist.render(DataContext(dict(data), self.template))])


def compile_part(source, *, html, part=""):
    """Compile one part; ``html`` turns escaping on. TemplateRefused says what is wrong with it, and on which line."""
    part = part or ("html" if html else "text")
    if len(source.encode(errors="replace")) > MAX_SOURCE_BYTES:
        raise TemplateRefused(f"The {part} is longer than {MAX_SOURCE_BYTES:,} bytes.", part=part)
    try:
        template = DataTemplate(source, engine=ENGINES[html])
        return CompiledPart(source, html, template, read_paths(template.nodelist))
    except (TemplateSyntaxError, RecursionError) as error:
        line = getattr(getattr(error, "token", None), "lineno", None)
        raise TemplateRefused(f"Line {line}: {error}" if line else str(error), part=part, line=line) from error
