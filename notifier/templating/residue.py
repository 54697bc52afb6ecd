"""The residue of a specialised part for each person: text with holes, and how each kind is filled.

Made by ``specialising``.
"""

from dataclasses import dataclass
from html import escape
from itertools import groupby

from django.template.base import FilterExpression, NodeList
from django.template.defaulttags import SpacelessNode
from django.template.smartif import TokenBase
from django.utils.safestring import SafeString

from .provenance import mark
from .work import STEP


class Residue:
    """Text and holes in turn, and how much of the bounds the text has used up."""

    def __init__(self, parts, iterations=0, output_bytes=0, work=0):
        self.parts = []
        for is_text, run in groupby(parts, key=lambda part: isinstance(part, str)):
            pieces = list(run)
            self.parts += ["".join(pieces)] if is_text else pieces
        self.holes = [(index, part) for index, part in enumerate(self.parts) if not isinstance(part, str)]
        self.iterations, self.output_bytes, self.work = iterations, output_bytes, work

    def fill(self, context):
        context.count_iterations(self.iterations)
        context.count_bytes(self.output_bytes)
        parts = self.parts.copy()
        for index, hole in self.holes:
            parts[index] = hole.fill(context)
        context.count_work(self.work)  # at the end, as in ``compiler.Nodes``
        return "".join(parts)


@dataclass(slots=True)
class Subtree:
    """Any nodes, rendered whole for each person, with the event's values as they stood at this place."""

    nodes: NodeList
    values: dict

    def fill(self, context):
        with context.push(self.values):
            return self.nodes.render(context)


@dataclass(slots=True)
class Value:
    """A bare path such as ``{{ user.first_name }}``, or one with the filter ``oneline``."""

    lookups: tuple
    html: bool
    oneline: bool
    cost: int
    subtree: Subtree

    def fill(self, context):
        value = context
        try:
            for key in self.lookups:
                value = value[key]
        except (KeyError, TypeError):
            return self.subtree.fill(context)
        if type(value) is not str:  # numbers and dates are localised, objects stand for their text
            return self.subtree.fill(context)
        text, work = value, self.cost
        if self.oneline:
            text = " ".join(value.split())
            work += STEP + value.__sizeof__() + (text.__sizeof__() if text is not value else 0)
        context.work += work  # looked at in the end, by the residue around it
        text = escape(text) if self.html else text
        context.count_output(text)
        return mark(text) if context.marks_data else text


@dataclass(slots=True)
class Choice:
    """An ``if`` on the person: pairs of a condition and its branch, where None is the ``else``."""

    branches: list[tuple[TokenBase | None, Residue]]
    values: dict

    def fill(self, context):
        with context.push(self.values):
            chosen = next(
                (body for condition, body in self.branches if condition is None or condition.eval(context)),
                None,
            )
        return chosen.fill(context) if chosen else ""


@dataclass(slots=True)
class Binding:
    """A ``with`` that names something of the person."""

    bound: dict[str, FilterExpression]
    values: dict
    body: Residue

    def fill(self, context):
        with context.push(self.values):
            bound = {name: expression.resolve(context) for name, expression in self.bound.items()}
        with context.push(bound):
            return self.body.fill(context)


@dataclass(slots=True)
class Spaceless:
    """A ``spaceless`` around holes."""

    body: Residue

    def fill(self, context):
        return SpacelessNode(self).render(context)

    def render(self, context):
        return SafeString(self.body.fill(context))
