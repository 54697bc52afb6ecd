"""Compiles and evaluates a trigger's condition, in the grammar of ``{% if %}``.

It is parsed word by word, as Django parses the tag, and never becomes part of a template's source: nothing
can be closed or opened.
"""

import datetime as dt
import json
import operator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from django.template import Context, NodeList, TemplateSyntaxError, VariableDoesNotExist
from django.template.base import Origin, Token, TokenType
from django.template.defaulttags import IfNode, TemplateIfParser
from django.template.smartif import OPERATORS, Literal

from ..exceptions import ConditionRefused
from ..templating import readable, snapshot
from ..templating.compiler import DataParser
from ..templating.data import PERSONAL, FrozenObject
from ..templating.filters import LIBRARY
from ..templating.languages import of_the_site
from ..templating.paths import PathTree, expressions_of, read_paths, variables_of
from ..templating.work import WorkContext
from . import offers
from .condition_syntax import explain_syntax, refuse_source

# What a firing holds itself. Anything else can lead to other rows.
AT_HAND = {"verb", "created", "previous", "update_fields", "using"}
# What an explanation quotes of one value, and of all.
MAX_VALUE, MAX_VALUES = 60, 500


def _exact(value, other):
    """A binary fraction beside a decimal one, as it is written: 19.99 is 19.99, which Python denies."""
    return Decimal(repr(value)) if isinstance(value, float) and isinstance(other, Decimal) else value


def _compare(function):
    def evaluate(context, first, second):
        left, right = first.eval(context), second.eval(context)
        try:
            return function(_exact(left, right), _exact(right, left))
        except TypeError:
            # No order between these two: None, or two kinds. False, as in Django.
            return False

    return evaluate


EVALUATE = {
    "or": lambda context, first, second: first.eval(context) or second.eval(context),
    "and": lambda context, first, second: first.eval(context) and second.eval(context),
    "not": lambda context, first, second: not first.eval(context),
    "in": _compare(lambda left, right: left in right),
    "not in": _compare(lambda left, right: left not in right),
    "is": _compare(operator.is_),
    "is not": _compare(operator.is_not),
    "==": _compare(operator.eq),
    "!=": _compare(operator.ne),
    ">": _compare(operator.gt),
    ">=": _compare(operator.ge),
    "<": _compare(operator.lt),
    "<=": _compare(operator.le),
}


def _operator(name):
    # Django's operator takes any error for "false", and `not` would take that for "true".
    def evaluate(self, context):
        return EVALUATE[name](context, self.first, self.second)

    return type("Operator", (OPERATORS[name],), {"eval": evaluate})


OURS = {name: _operator(name) for name in OPERATORS}


class ConditionParser(TemplateIfParser):
    def translate_token(self, token):
        return OURS[token]() if token in OURS else self.create_var(token)


@dataclass(frozen=True, eq=False)
class Condition:
    """A compiled condition. ``paths`` is what it reads, which its events store, too."""

    source: str
    paths: PathTree = field(repr=False)
    expression: Literal = field(repr=False)
    node: IfNode = field(repr=False)

    def reaches_out(self, label):
        """Tell whether reading it for an object of the model ``label`` may run a query: it reads more than
        the object's own columns.
        """
        model = readable.find_model(label) if label else None
        columns = (
            {field.attname for field in model._meta.concrete_fields} | {"pk", "model"} if model else set()
        )
        branches = [branch for name, branch in self.paths.items() if name not in AT_HAND]
        objects = [branch for name, branch in self.paths.items() if name in ("instance", "action_object")]
        return len(branches) > len(objects) or any(branch.keys() - columns for branch in objects)

    def freeze(self, context):
        """The data that it reads of ``context`` (name → live object), as it would come back from the
        database.
        """
        with of_the_site():
            frozen = snapshot.freeze(context, self.paths)
            return json.loads(json.dumps(frozen, cls=snapshot.Encoder), cls=snapshot.Decoder)

    def holds(self, data):
        """Tell whether it is true of an event's data. A filter's own error passes."""
        with of_the_site():
            return bool(self.expression.eval(WorkContext(data, autoescape=False)))

    def describe(self, data):
        """The values that it read, for people: ``instance.total is 80, instance.status is "paid"``."""
        context, shown = Context(data), {}
        for variable in (
            each for expression in expressions_of(self.node) for each in variables_of(expression)
        ):
            if variable.var not in ("True", "False", "None"):
                try:
                    shown[variable.var] = _show(variable.resolve(context))
                except VariableDoesNotExist:
                    shown[variable.var] = _show(None)
        return _cut(", ".join(f"{name} is {value}" for name, value in shown.items()), MAX_VALUES)


@lru_cache(maxsize=1024)
def compile_condition(source):
    """The Condition of ``source``. ConditionRefused says what is wrong with it, and at which word."""
    refuse_source(source)
    try:
        words = Token(TokenType.BLOCK, f"if {source}").split_contents()[1:]
        expression = ConditionParser(DataParser([], {}, [LIBRARY], Origin("condition")), words).parse()
        node = IfNode([(expression, NodeList())])
        return Condition(source, read_paths([node]), expression, node)
    except (TemplateSyntaxError, StopIteration) as error:
        raise ConditionRefused(explain_syntax(str(error), source)) from error


def check_condition(source, trigger):
    """The Condition of ``source`` if ``trigger`` can have it; else ConditionRefused or UnreadablePath."""
    condition = compile_condition(source)
    if personal := max(PERSONAL & condition.paths.keys(), default=""):
        of = "" if personal == "user" else "a link of "
        raise ConditionRefused(
            f"“{personal}” is {of}the person who receives, and is not known yet when the "
            "signal comes. Choose people by the audience."
        )
    offers.check_paths(condition.paths, trigger, provided=False)
    return condition


def _show(value):
    match value:
        case None:
            return "empty"
        case bool() | int() | float() | Decimal():
            return str(value)
        case dt.datetime():
            return value.isoformat(" ", "minutes")
        case list():
            return f"a list of {len(value)}"
        case dict() if not isinstance(value, FrozenObject):
            return "several values"
    return f'"{_cut(str(value), MAX_VALUE)}"'


def _cut(text, length):
    return text if len(text) <= length else f"{text[: length - 1]}…"
