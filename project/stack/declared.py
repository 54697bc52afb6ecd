"""What a function's own file says about itself, read without importing it: its provider's library may be missing or slow here."""

import ast
from importlib.util import find_spec

from notifier.exceptions import ConfigurationError


def declared(handler, constant, default):
    """The value of ``constant`` in the module of ``handler`` (``lambdas.sms.handler``), which must be a literal; else ``default``.

    Raises ConfigurationError when there is no such module, or the constant is computed.
    """
    if not handler:
        return default
    module = handler.rpartition(".")[0]
    for node in _parsed(module).body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", None) == constant for target in node.targets):
            try:
                return ast.literal_eval(node.value)
            except ValueError:
                raise ConfigurationError(f"{constant} of {module} must be written out, not computed.") from None
    return default


def _parsed(module):
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.origin:
        raise ConfigurationError(f"zappa_settings.json names {module} as a function, and there is no such module.")
    with open(spec.origin, encoding="utf-8") as source:
        return ast.parse(source.read())
