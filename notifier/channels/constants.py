"""What a module says about itself in constants, read without importing it: its provider's library may be
missing here, or slow.
"""

import ast
from functools import cache
from importlib.util import find_spec
from typing import Any

from ..exceptions import ConfigurationError


def declared(module: str, constant: str, default: Any) -> Any:
    """The value of ``constant`` in ``module``, which must be a literal; else ``default``.

    Raises ConfigurationError when the constant is computed, ModuleNotFoundError when there is no such module.
    """
    spec = find_spec(module)
    if spec is None or not spec.origin:
        raise ModuleNotFoundError(f"There is no module {module}.")
    node = _assigned(spec.origin).get(constant)
    if node is None:
        return default
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise ConfigurationError(f"{constant} of {module} must be written out, not computed.") from None


@cache
def _assigned(path: str) -> dict[str, ast.expr]:
    """Name → what it is set to, at the top level of a file."""
    with open(path, encoding="utf-8") as source:
        nodes = [node for node in ast.parse(source.read()).body if isinstance(node, ast.Assign)]
    return {
        target.id: node.value for node in nodes for target in node.targets if isinstance(target, ast.Name)
    }
