"""Constants of a module, read without importing it: its provider's library may be missing here, or slow."""

import ast
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any

from ..exceptions import ConfigurationError


def declared(module: str, constant: str, default: Any) -> Any:
    """The value of ``constant`` in ``module``, which must be a literal; else ``default``.

    Raises ConfigurationError when the constant is computed, ModuleNotFoundError when there is no such module.
    """
    node = _names(_file_of(module)).get(constant)
    if node is None:
        return default
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise ConfigurationError(f"{constant} of {module} must be written out, not computed.") from None


def defines(module: str, name: str) -> bool:
    """Tell whether ``module`` has a function, or anything else, of that name. Raises ModuleNotFoundError."""
    return name in _names(_file_of(module))


def _file_of(module: str) -> str:
    spec = find_spec(module)
    if spec is None or not spec.origin:
        raise ModuleNotFoundError(f"There is no module {module}.")
    return spec.origin


@cache
def _names(path: str) -> dict[str, ast.AST]:
    """Name → what it is set to, or what defines or imports it, at the top level of a file."""
    with open(path, encoding="utf-8") as source:
        return dict(found for node in ast.parse(source.read()).body for found in _named_by(node))


def _named_by(node: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    """Yield ``(name, node)`` of what one statement names."""
    match node:
        case ast.Assign():
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
        case ast.FunctionDef():
            yield node.name, node
        case ast.ImportFrom():
            yield from ((alias.asname or alias.name, node) for alias in node.names)
