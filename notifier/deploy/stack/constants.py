"""The constants of a function's own file. Calls ``channels.constants``, which reads it without importing
it.
"""

from notifier.channels import constants
from notifier.exceptions import ConfigurationError


def declared(handler, constant, default):
    """The value of ``constant`` in the module of ``handler`` (``lambdas.sms.handler``), which must be a
    literal; else ``default``.

    Raises ConfigurationError when there is no such module, or the constant is computed.
    """
    if not handler:
        return default
    module = handler.rpartition(".")[0]
    try:
        return constants.declared(module, constant, default)
    except ModuleNotFoundError:
        raise ConfigurationError(
            f"zappa_settings.json names {module} as a function, and there is no such module."
        ) from None
