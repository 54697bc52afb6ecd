"""Every regular expression of the product, and how it is used there: by what the modules hold once they are
imported, and by what their source compiles.
"""

import ast
import importlib
import inspect
import pkgutil
import re
from collections import defaultdict
from dataclasses import fields, is_dataclass

import lambdas
import notifier
import project

# Programs, and what Django runs once.
NOT_IMPORTED = re.compile(r"\.migrations\.|\.__main__$")
# By cost: the others of re are one of these.
USES = {
    "findall": "findall",
    "finditer": "findall",
    "sub": "findall",
    "subn": "findall",
    "split": "findall",
    "search": "search",
    "match": "match",
    "fullmatch": "fullmatch",
    "scanner": "findall",
}


def modules():
    found = []
    for package in (notifier, lambdas, project):
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not NOT_IMPORTED.search(each.name):
                found.append(importlib.import_module(each.name))
    return found


def product_patterns():
    """``(pattern, uses)`` by the place where it stands; and by their places the arguments of the calls whose
    pattern is only known in a run.

    The uses are those of USES; all of them where a pattern's uses are not seen.
    """
    found, unknown, loaded = {}, {}, modules()
    uses = _uses_of_names(loaded)
    for module in loaded:
        for name, value in vars(module).items():
            for place, pattern in _held(value, f"{module.__name__}.{name}", {id(value)}):
                _add(found, place, pattern, set())
        for place, made, use in _written(module):
            if isinstance(made, re.Pattern):
                _add(found, place, made, {use} - {None})
            else:
                unknown[place] = made
    everything = set(USES.values())
    return {
        place: (pattern, uses[key] | known or everything) for key, (place, pattern, known) in found.items()
    }, unknown


def _add(found, place, pattern, known):
    key = pattern.pattern, pattern.flags
    if isinstance(pattern.pattern, str):
        first, _, before = found.get(key, (place, pattern, set()))
        found[key] = first, pattern, before | known


def _held(value, place, seen):
    """The patterns in a value: itself, a method's own, what containers, classes and dataclasses hold."""
    if isinstance(value, re.Pattern):
        yield place, value
    elif isinstance(getattr(value, "__self__", None), re.Pattern):
        yield place, value.__self__
    elif not isinstance(value, str | bytes | int):
        for name, each in _members(value):
            if id(each) not in seen:
                seen.add(id(each))
                yield from _held(each, f"{place}.{name}", seen)


def _members(value):
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return list(enumerate(value))
    if inspect.isclass(value):
        is_ours = value.__module__.partition(".")[0] in ("notifier", "lambdas", "project")
        return list(vars(value).items()) if is_ours else []
    if is_dataclass(value):
        return [(each.name, getattr(value, each.name, None)) for each in fields(value)]
    if inspect.isfunction(value) and value.__module__.partition(".")[0] in ("notifier", "lambdas", "project"):
        cells = [_content(cell) for cell in value.__closure__ or ()]
        return list(enumerate([*cells, *(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]))
    # What a validator of Django's looks for.
    return [("regex", value.regex._setupfunc())] if hasattr(type(value), "inverse_match") else []


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _written(module):
    """``(place, pattern or source of the argument, use or None)`` of each call of re's functions."""
    for function, node in _calls(_tree(module), ()):
        called = node.func
        if not (isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name)):
            continue
        if getattr(module, called.value.id, None) is not re or called.attr not in {"compile", *USES}:
            continue
        place = (
            f"{module.__name__}:{'.'.join(function) or 'module'}:{called.attr}({ast.unparse(node.args[0])})"
        )
        flags = [each.value for each in node.keywords if each.arg == "flags"]
        flags += [*node.args[1:2]] if called.attr == "compile" else []
        flags += (
            [*node.args[2:3]]
            if called.attr in ("search", "match", "fullmatch", "findall", "finditer")
            else []
        )
        try:
            made = re.compile(*(_value(each, module) for each in [node.args[0], *flags[:1]]))
        except NameError:
            made = ast.unparse(node.args[0])
        yield place, made, USES.get(called.attr)


def _calls(node, function):
    for child in ast.iter_child_nodes(node):
        is_named = isinstance(child, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
        inner = (*function, child.name) if is_named else function
        if isinstance(child, ast.Call):
            yield inner, child
        yield from _calls(child, inner)


def _value(node, module):
    return eval(compile(ast.Expression(node), module.__name__, "eval"), dict(vars(module)))


def _tree(module):
    try:
        return ast.parse(inspect.getsource(module))
    except (OSError, TypeError):
        return ast.Module([], [])


def _uses_of_names(loaded):
    """By a pattern's key, the methods of it that are called, or handed on, anywhere in the product by a name,
    or by that of what holds it.
    """
    found = defaultdict(set)
    for module in loaded:
        for node in ast.walk(_tree(module)):
            if isinstance(node, ast.Attribute) and node.attr in USES:
                for _place, pattern in _held(_named(node.value, module), "", set()):
                    found[pattern.pattern, pattern.flags].add(USES[node.attr])
    return found


def _named(node, module):
    """The value of a name, of an attribute, or of what ``NAMES[…]`` or ``NAMES.get(…)`` is taken from."""
    if isinstance(node, ast.Name):
        return getattr(module, node.id, None)
    if isinstance(node, ast.Subscript):
        return _named(node.value, module)
    if isinstance(node, ast.Call):
        return _named(node.func.value, module) if getattr(node.func, "attr", "") == "get" else None
    return getattr(_named(node.value, module), node.attr, None) if isinstance(node, ast.Attribute) else None
