"""Specialises a compiled part per event: the nodes that do not read the person are rendered once.

Called by ``contents``.
"""

from itertools import groupby

from django.template import Node
from django.template.base import VariableNode
from django.template.defaulttags import CycleNode, ForNode, IfChangedNode, IfNode, SpacelessNode, WithNode

from .compiler import MAX_LOOP_ITERATIONS, MAX_OUTPUT_BYTES, MAX_WORK_BYTES, DataContext, Iteration, Nodes
from .data import PERSONAL
from .paths import bound_name, children_of, expressions_of, names_of
from .residue import Binding, Choice, Residue, Spaceless, Subtree, Value

PERSON = "user"
MAX_HOLES = 2_000
MAX_TRIED = 4  # times the bounds of one rendering, for all branches together


class NotWorthIt(Exception):
    """Specialising would take more memory than it saves time; each person gets a plain rendering."""


class Specialised:
    """One part for one event.

    ``render`` gives, byte for byte, what ``CompiledPart.render`` gives for data and person.
    """

    def __init__(self, template, residue, marks_data=False):
        self.template, self.residue, self.marks_data = template, residue, marks_data
        self.constant = None if residue.holes else "".join(residue.parts)

    def render(self, user, links=None):
        """The text for one person's data and links.

        TemplateTooLarge past a bound; a filter's own error passes.
        """
        if self.constant is not None:
            return self.constant
        data = {PERSON: user, **(links or {})}
        return self.residue.fill(DataContext(data, self.template, marks_data=self.marks_data))


def specialise(part, data, personal=PERSONAL, *, marks_data=False):
    """Render all of ``part`` that does not read the person, by whom the ``personal`` names are.

    ``marks_data``: see ``provenance``. Raises only what rendering it for anybody would raise.
    """
    nodes = part.template.nodelist
    context = SpecialisingContext(dict(data), part.template, marks_data=marks_data)
    try:
        if _unsettled(nodes, personal, absorb=True):
            raise NotWorthIt
        residue = _residue(nodes, context, personal)
    except NotWorthIt:
        residue = Residue([_subtree(nodes, SpecialisingContext(dict(data), part.template), personal)])
    return Specialised(part.template, residue, marks_data)


class SpecialisingContext(DataContext):
    """The context of a specialisation: the event's data, and how much was spent on branches that nobody may
    take.
    """

    holes = 0
    tried = 0.0

    def count_hole(self):
        self.holes += 1
        if self.holes > MAX_HOLES:
            raise NotWorthIt

    def count_tried(self, iterations, output_bytes, work):
        """Count what was spent since these were the counters."""
        self.tried += max(
            (self.iterations - iterations) / MAX_LOOP_ITERATIONS,
            (self.output_bytes - output_bytes) / MAX_OUTPUT_BYTES,
            (self.work - work) / MAX_WORK_BYTES,
        )


class Collector(Node):
    """Stands for the body in one of Django's own nodes: Django runs the tag, this collects what each turn
    leaves.
    """

    def __init__(self, nodes, parts, personal):
        self.nodes, self.parts, self.personal = nodes, parts, personal

    def render(self, context):
        _collect(self.nodes, context, self.parts, self.personal)
        return ""


def _residue(nodes, context, personal):
    """The residue of the nodes. The bounds go on from where they are, and are handed back as they were."""
    if context.tried > MAX_TRIED:
        raise NotWorthIt
    iterations, output_bytes, work = before = context.iterations, context.output_bytes, context.work
    parts = []
    try:
        _collect(nodes, context, parts, personal)
        context.count_work(0)  # a comparison may have gone past the bound
        return Residue(
            parts, context.iterations - iterations, context.output_bytes - output_bytes, context.work - work
        )
    finally:
        context.count_tried(*before)
        context.iterations, context.output_bytes, context.work = before


def _branch(nodes, context, personal):
    """The residue of nodes that not everybody gets: an error in them waits for a person who does."""
    scopes = context.dicts[:]
    try:
        return _residue(nodes, context, personal)
    except NotWorthIt:
        raise
    except Exception:
        context.dicts[:] = scopes
        return Residue([_subtree(nodes, context, personal)])


def _collect(nodes, context, parts, personal):
    for is_personal, run in groupby(nodes, key=lambda node: not personal.isdisjoint(node.names)):
        if not is_personal:
            parts.append(Nodes(run).render(context))
            continue
        for node in run:
            hole = None
            if not _unroll(node, context, parts, personal):
                context.count_hole()
                hole = _hole(node, context, personal)
                parts.append(hole)
            if type(hole) not in (Subtree, Value):  # which count themselves
                context.work += node.cost


def _unroll(node, context, parts, personal):
    """Let Django run a tag that is decided without the person, collecting from its body.

    False where there is none.
    """
    if not personal.isdisjoint(names_of(expressions_of(node))):
        return False
    if type(node) is IfNode:
        branches = [(test, Collector(body, parts, personal)) for test, body in node.conditions_nodelists]
        IfNode(branches).render(context)
    elif type(node) is WithNode:
        body = Collector(node.nodelist, parts, personal - set(node.extra_context))
        WithNode(None, None, body, node.extra_context).render(context)
    elif type(node) is ForNode and not _unsettled([node], personal):
        (turn,) = node.nodelist_loop
        body = Iteration(Collector(turn.nodelist, parts, personal - {*node.loopvars, "forloop"}))
        empty = Collector(node.nodelist_empty, parts, personal)
        ForNode(node.loopvars, node.sequence, node.is_reversed, [body], empty).render(context)
    else:
        return False
    return True


def _hole(node, context, personal):
    if type(node) is VariableNode:
        expression, subtree = node.filter_expression, _subtree([node], context, personal)
        filters = [function._filter_name for function, _ in expression.filters]
        bare = filters in ([], ["oneline"]) and expression.is_var
        if not bare:
            return subtree
        return Value(expression.var.lookups, context.autoescape, bool(filters), node.cost, subtree)
    values = _values(names_of(expressions_of(node)), context, personal)
    if type(node) is IfNode:
        branches = [(test, _branch(body, context, personal)) for test, body in node.conditions_nodelists]
        return Choice(branches, values)
    if type(node) is WithNode:
        return Binding(
            node.extra_context, values, _residue(node.nodelist, context, personal | set(node.extra_context))
        )
    if type(node) is SpacelessNode:
        return Spaceless(_residue(node.nodelist, context, personal))
    return _subtree([node], context, personal)


def _subtree(nodes, context, personal):
    return Subtree(
        Nodes(nodes), _values(frozenset().union(*(node.names for node in nodes)), context, personal)
    )


def _values(names, context, personal):
    return {name: _as_it_stands(context[name]) for name in names if name not in personal and name in context}


def _as_it_stands(value):
    """A copy where the value is a ``forloop``, which Django changes on every turn."""
    if type(value) is dict and "parentloop" in value:
        return {**value, "parentloop": _as_it_stands(value["parentloop"])}
    return value


def _unsettled(nodes, personal, *, absorb=False, chosen=False):
    """Tell whether a node keeps something (a cycle's place, a name it sets) that depends on the person.

    ``absorb`` passes over loops that keep it to themselves, ``chosen`` says that the nodes themselves depend
    on the person.
    """
    for node in nodes:
        if absorb and type(node) is ForNode and not _names_a_cycle(node):
            continue
        keeps = type(node) in (CycleNode, IfChangedNode) or bound_name(node)
        if keeps and (chosen or not personal.isdisjoint({*node.names, bound_name(node)})):
            return True
        inner = chosen or not personal.isdisjoint(names_of(expressions_of(node)))
        if any(_unsettled(body, personal, absorb=absorb, chosen=inner) for body in children_of(node)):
            return True
    return False


def _names_a_cycle(node):
    return bool(type(node) is CycleNode and node.variable_name) or any(
        _names_a_cycle(child) for body in children_of(node) for child in body
    )
