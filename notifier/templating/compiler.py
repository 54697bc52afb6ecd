"""Compiles an administrator's source, in Django's template language over plain data alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.template import Engine, Node, NodeList, Template, TemplateSyntaxError
from django.template.base import Parser, TextNode, TokenType
from django.template.defaulttags import (
    ForNode,
    IfChangedNode,
    IfNode,
    SpacelessNode,
    TemplateTagNode,
    VerbatimNode,
    WithNode,
)
from django.utils.safestring import SafeString

from ..exceptions import TemplateRefused, TemplateTooLarge
from .data import DataExpression, FrozenObject
from .filters import BLOCKS, LIBRARY, MAX_OUTPUT_BYTES
from .lexing import LinearLexer
from .paths import PathTree, bound_name, merge_paths, names_in, path_names, read_paths
from .provenance import mark
from .translation import TranslateNode
from .work import MAX_WORK_BYTES, WorkContext, cost_of, count_comparisons, weigh

__all__ = ["MAX_WORK_BYTES", "CompiledPart", "FrozenObject", "compile_part", "merge_paths", "path_names"]

MAX_SOURCE_BYTES = 64 * 1024
MAX_WHOLE_BYTES = 128 * 1024  # with its layouts
MAX_LOOP_ITERATIONS = 10_000
MAX_NESTING = 32
MAX_TAG_WORDS = 100  # Django evaluates a condition recursively, and takes a RecursionError for "false"

TOO_DEEP = "A value holds lists in lists in lists, too deep to be shown."

WRITTEN = {TextNode, VerbatimNode, TemplateTagNode}


class DataContext(WorkContext):
    """The data of one rendering, and the counters that bound it.

    ``marks_data``: what comes from data stands between signs. See ``provenance``.
    """

    def __init__(self, data, template, *, marks_data=False):
        super().__init__(data, autoescape=template.engine.autoescape)
        self.template, self.marks_data = template, marks_data
        self.iterations = self.output_bytes = 0

    def count_iterations(self, number=1):
        self.iterations += number
        if self.iterations > MAX_LOOP_ITERATIONS:
            raise TemplateTooLarge(f"The loops run more than {MAX_LOOP_ITERATIONS:,} times.")

    def count_output(self, text):
        self.output_bytes += len(text) if text.isascii() else len(text.encode(errors="replace"))
        if self.output_bytes > MAX_OUTPUT_BYTES:
            self.refuse_output()

    def count_bytes(self, number):
        self.output_bytes += number
        if self.output_bytes > MAX_OUTPUT_BYTES:
            self.refuse_output()

    def refuse_output(self):
        raise TemplateTooLarge(f"The message is longer than {MAX_OUTPUT_BYTES:,} bytes.")


class Iteration(Node):
    """The body of a loop, counting how often it runs."""

    cost, bound = 0, None

    def __init__(self, nodelist):
        self.nodelist = nodelist

    def render(self, context):
        context.count_iterations()
        return self.nodelist.render(context)


class Nodes(NodeList):
    """A node list that counts its output and its work while it is being made, each byte where it arises."""

    CONTAINERS = {ForNode, IfChangedNode, IfNode, Iteration, SpacelessNode, WithNode}
    # Of its nodes together, once it has been rendered.
    cost: int | None = None

    def render(self, context):
        if self.cost is None:
            self.cost = sum(node.cost for node in self)
        parts = []
        try:
            for node in self:
                part = node.render_annotated(context)
                if type(node) not in self.CONTAINERS:
                    context.count_output(part)
                    if context.marks_data and not _is_written(node):
                        part = mark(part)
                    if node.bound:
                        context.count_work(weigh(context[node.bound]))
                parts.append(part)
        except RecursionError:
            raise TemplateTooLarge(TOO_DEEP) from None
        # At the end: it says so as well where a comparison went past the bound.
        context.work += self.cost
        if context.work > context.most_work:
            context.count_work(0)
        return SafeString("".join(parts))


def _is_written(node):
    """Whether a node gives what stands in the template, or in the project's catalogue, and no data."""
    return type(node) in WRITTEN or type(node) is TranslateNode and not node.message.is_var


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
        node.names, node.bound, node.cost = names_in(node), bound_name(node), cost_of(node)
        count_comparisons(node)
        super().extend_nodelist(nodelist, node, token)


class DataTemplate(Template):
    libraries = (LIBRARY,)

    def compile_nodelist(self):
        return DataParser(LinearLexer(self.source).tokenize(), {}, self.libraries, self.origin).parse()


class TemplateWithBlocks(DataTemplate):
    """A source with blocks, before ``layouts`` has put them into their places: compiled for its errors
    alone.
    """

    libraries = (LIBRARY, BLOCKS)


ENGINES = {html: Engine(loaders=[], autoescape=html) for html in (True, False)}


@dataclass(frozen=True, eq=False)
class CompiledPart:
    """One part of a template version, compiled once and kept. ``paths`` is what it reads."""

    source: str
    html: bool
    template: DataTemplate = field(repr=False)
    paths: PathTree = field(repr=False)

    def render(self, data: Mapping[str, Any]) -> str:
        """The text for ``data`` (the event's and ``user``).

        TemplateTooLarge past a bound; a filter's own error passes.
        """
        return "".join([self.template.nodelist.render(DataContext(dict(data), self.template))])


def compile_part(
    source: str,
    *,
    html: bool,
    part: str = "",
    max_bytes: int = MAX_SOURCE_BYTES,
    template_class: type[DataTemplate] = DataTemplate,
) -> CompiledPart:
    """Compile one part; ``html`` turns escaping on.

    TemplateRefused says what is wrong with it, and on which line.
    """
    part = part or ("html" if html else "text")
    if len(source.encode(errors="replace")) > max_bytes:
        raise TemplateRefused(f"The {part} is longer than {max_bytes:,} bytes.", part=part)
    try:
        template = template_class(source, engine=ENGINES[html])
        return CompiledPart(source, html, template, read_paths(template.nodelist))
    except TemplateSyntaxError as error:
        line = getattr(getattr(error, "token", None), "lineno", None)
        message = re.sub(r" on line \d+", "", str(error))
        raise TemplateRefused(f"Line {line}: {message}" if line else message, part=part, line=line) from error
