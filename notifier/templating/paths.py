"""The paths that a compiled template reads: its nodes' expressions, and the dotted names in them."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from django.template import Node, NodeList, TemplateSyntaxError, Variable
from django.template.base import FilterExpression, VariableNode
from django.template.defaulttags import (
    CycleNode,
    FirstOfNode,
    ForNode,
    IfChangedNode,
    IfNode,
    WidthRatioNode,
    WithNode,
)
from django.template.smartif import TokenBase

from .translation import TranslateNode

# What is read, as nested dicts: ``{"instance": {"title": {"": {}}}}`` stands for ``instance.title``. The key
# ``""`` marks a path that is used as a value, ``"*"`` stands for each item of a list.
PathTree: TypeAlias = dict[str, "PathTree"]
# One way from the tree's top.
Path = tuple[str, ...]
# A name that a tag has bound → the paths that it may stand for.
Scope = dict[str, set[Path]]

MAX_SEGMENTS = 24
MAX_MEANINGS = 32  # of one name: `with a=b|default:c` doubles them with every line

CONSTANTS = {"True", "False", "None"}
ITEM_FILTERS = {"first", "last"}
EITHER_FILTERS = {"default", "default_if_none"}


def _operands(condition: TokenBase | None) -> list[FilterExpression]:
    """The expressions of one ``if`` condition, from Django's operator tree."""
    if condition is None:  # else
        return []
    if condition.first is None:
        return [condition.value]
    return [
        expression for side in (condition.first, condition.second) if side for expression in _operands(side)
    ]


EXPRESSIONS: dict[type[Node], Callable[[Any], list[FilterExpression]]] = {
    VariableNode: lambda node: [node.filter_expression],
    IfNode: lambda node: [
        expression for condition, _ in node.conditions_nodelists for expression in _operands(condition)
    ],
    ForNode: lambda node: [node.sequence],
    WithNode: lambda node: list(node.extra_context.values()),
    CycleNode: lambda node: node.cyclevars,
    FirstOfNode: lambda node: node.vars,
    IfChangedNode: lambda node: list(node._varlist),
    TranslateNode: lambda node: [node.message, *filter(None, [node.message_context])],
    WidthRatioNode: lambda node: [node.val_expr, node.max_expr, node.max_width],
}


def expressions_of(node: Node) -> list[FilterExpression]:
    return EXPRESSIONS.get(type(node), lambda node: [])(node)


def children_of(node: Node) -> list[NodeList]:
    """The node lists inside a node; an ``if`` shows those of all its branches as one."""
    return [nodelist for name in node.child_nodelists if (nodelist := getattr(node, name, None))]


def bound_name(node: Node) -> str | None:
    """The name that a tag sets for what follows it: ``{% now "Y" as year %}``, or None."""
    return node.variable_name if type(node) is CycleNode else getattr(node, "asvar", None)


def variables_of(expression: FilterExpression) -> list[Variable]:
    """The variables of an expression and of its filters' arguments; literals are none."""
    arguments = [argument for _, args in expression.filters for lookup, argument in args if lookup]
    found = [expression.var, *arguments] if expression.is_var else arguments
    return [variable for variable in found if variable.lookups]


def names_of(expressions: Iterable[FilterExpression]) -> set[str]:
    return {variable.lookups[0] for expression in expressions for variable in variables_of(expression)}


def names_in(node: Node) -> frozenset[str]:
    """Every name that a node or anything inside it looks up, those it binds itself included.

    Its inner nodes have theirs.
    """
    inner = (child.names for nodelist in children_of(node) for child in nodelist)
    return frozenset(names_of(expressions_of(node)).union(*inner))


class PathReader:
    """Walks nodes and collects the ``PathTree`` of what they read."""

    def __init__(self) -> None:
        self.tree: PathTree = {}

    def read(self, nodes: Iterable[Node], scope: Scope) -> None:
        for node in nodes:
            try:
                READERS.get(type(node), PathReader._read_values)(self, node, scope)
            except TemplateSyntaxError as error:
                error.token = getattr(error, "token", node.token)
                raise

    def _read_values(self, node: Node, scope: Scope) -> None:
        for expression in expressions_of(node):
            self._add(self._follow(expression, scope), "")
        for nodelist in children_of(node):
            self.read(nodelist, scope)
        if name := bound_name(node):
            scope[name] = set()

    def _read_cycle(self, node: CycleNode, scope: Scope) -> None:
        self._read_values(node, scope)
        if node.variable_name:
            scope[node.variable_name] = set().union(*(self._follow(value, scope) for value in node.cyclevars))

    def _read_for(self, node: ForNode, scope: Scope) -> None:
        items = {(*path, "*") for path in self._follow(node.sequence, scope)}
        self._add(items)
        if len(node.loopvars) > 1:
            items = {(*path, "*") for path in items}
        self.read(node.nodelist_loop, scope | dict.fromkeys(node.loopvars, items) | {"forloop": set()})
        self.read(node.nodelist_empty, dict(scope))

    def _read_with(self, node: WithNode, scope: Scope) -> None:
        bound = {name: self._follow(value, scope) for name, value in node.extra_context.items()}
        self.read(node.nodelist, scope | bound)

    def _follow(self, expression: FilterExpression, scope: Scope) -> set[Path]:
        """The paths that the expression's value may be walked on by; the ones that end in a filter are values
        here.
        """
        paths = self._meanings(expression.var, scope) if expression.is_var else set()
        for function, args in expression.filters:
            given = [self._meanings(argument, scope) for lookup, argument in args if lookup]
            name = function._filter_name
            if name in EITHER_FILTERS:
                paths = paths.union(*given)
                continue
            self._add(set().union(*given), "")
            if name in ITEM_FILTERS:
                paths = {(*path, "*") for path in paths}
            elif name != "slice":
                self._add(paths, *(("*", "") if name == "join" else ("",)))
                paths = set()
        if len(paths) > MAX_MEANINGS:
            raise TemplateSyntaxError(f"One name may stand for at most {MAX_MEANINGS} different things here.")
        return paths

    def _meanings(self, variable: Variable, scope: Scope) -> set[Path]:
        if not variable.lookups or variable.lookups[0] in CONSTANTS:
            return set()
        head, *rest = variable.lookups
        rest = tuple("*" if segment.isdecimal() else segment for segment in rest)
        return {(*path, *rest) for path in scope.get(head, {(head,)})}

    def _add(self, paths: set[Path], *ending: str) -> None:
        for path in paths:
            if len(path) > MAX_SEGMENTS:
                raise TemplateSyntaxError(f"{'.'.join(path)[:80]}… has more than {MAX_SEGMENTS} parts.")
            place = self.tree
            for segment in (*path, *ending):
                place = place.setdefault(segment, {})


READERS: dict[type[Node], Callable[[PathReader, Any, Scope], None]] = {
    ForNode: PathReader._read_for,
    WithNode: PathReader._read_with,
    CycleNode: PathReader._read_cycle,
}


def read_paths(nodes: Iterable[Node]) -> PathTree:
    """The tree of paths that the nodes name."""
    reader = PathReader()
    reader.read(nodes, {})
    return reader.tree


def merge_paths(*trees: PathTree) -> PathTree:
    """One tree with all that the trees name; the trees themselves stay as they are."""
    merged: PathTree = {}
    for tree in trees:
        for segment, inner in tree.items():
            merged[segment] = merge_paths(merged.get(segment, {}), inner)
    return merged


def path_names(tree: PathTree, prefix: str = "") -> list[str]:
    """The tree's paths as dotted text for messages, sorted: ``["instance.lines.all.*.name",
    "instance.title"]``.
    """
    names: set[str] = set()
    for segment, inner in tree.items():
        dotted = f"{prefix}.{segment}".strip(".") if segment else prefix
        names.update(path_names(inner, dotted) if inner else [dotted])
    return sorted(names)
