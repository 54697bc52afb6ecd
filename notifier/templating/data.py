"""Plain data as templates see it: frozen objects, and names that look up keys and positions."""

from django.apps import apps
from django.template import TemplateSyntaxError, Variable, VariableDoesNotExist
from django.template.base import FilterExpression

from .parts import part_of
from .secret_names import may_be_secret

# Of the person who receives, as `user` is: links that only they get. See `notifier.people.reader_links`.
LINKS = ("unsubscribe_url", "preferences_url")
PERSONAL = frozenset({"user", *LINKS})
# The site's own address: no event holds it.
SITE = "base_url"
AT_RENDERING = PERSONAL | {SITE}


class FrozenObject(dict):
    """An object as an event stores it: its fields by name, and under ``""`` the text that stands for
    itself.
    """

    def __str__(self):
        return str(self.get("", ""))

    __repr__ = __str__  # what a template shows of a list of them

    def __bool__(self):
        return True

    def __eq__(self, other):
        if not isinstance(other, FrozenObject):
            # A dictionary of somebody's own is no object: a model and a key in it do not make it the same.
            return dict.__eq__(self, other) if isinstance(other, dict) else str(self) == other
        if {"pk", "model"} <= self.keys() & other.keys():
            # As Django's objects: without a key one is the same as itself alone.
            if self["pk"] is None:
                return self is other
            return (_table_of(self), self["pk"]) == (_table_of(other), other["pk"])
        return str(self) == str(other.get("", ""))

    def __ne__(self, other):  # dict has its own, which would not ask the one above
        return not self == other

    __hash__ = None


def _table_of(frozen):
    """The model that holds an object's row: a proxy's objects are those of its model."""
    try:
        return apps.get_model(frozen["model"])._meta.concrete_model
    except (LookupError, ValueError, AttributeError):
        # It is gone since, or a test's own.
        return frozen["model"]


class DataVariable(Variable):
    """A name in a template.

    It looks up dictionary keys and list positions, and nothing else: no attribute, no call.
    """

    __slots__ = ()

    def __init__(self, var):
        super().__init__(var)
        for segment in self.lookups or ():
            if not segment:
                raise TemplateSyntaxError(
                    f"{{{{ {var} }}}} has two dots with nothing between them, or one at an end."
                )
            if may_be_secret(segment):
                raise TemplateSyntaxError(f"{{{{ {var} }}}} cannot be used: “{segment}” may be a secret.")

    def _resolve_lookup(self, context):
        try:
            value, around = context[self.lookups[0]], None
            for segment in self.lookups[1:]:
                value, around = part_of(value, segment, around), value
        except (KeyError, IndexError, ValueError) as error:
            raise VariableDoesNotExist("There is no %s", (self.var,)) from error
        return value


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
