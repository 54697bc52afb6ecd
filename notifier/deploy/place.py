"""Where this process runs: on Lambda, on a developer's own machine, or on a server of one's own."""

import ipaddress
import os

ON_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
# Behind a queue or the schedule nobody asks for a page: the handler is a file's own, and not Zappa's.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (``_HANDLER``)
SERVES_PAGES = os.environ.get("_HANDLER", "handler.").startswith("handler.")
LOCALHOST = "localhost"  # https://www.rfc-editor.org/rfc/rfc6761#section-6.3


def host_names(text):
    """The domains in a text with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def is_of_this_machine(host):
    """Whether an entry of ``ALLOWED_HOSTS`` can be nothing but this machine, however it is spelled."""
    name = host.lower().rstrip(".")
    if name == LOCALHOST or name.endswith(f".{LOCALHOST}"):
        return True
    try:
        return ipaddress.ip_address(name.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


# By the names that it is asked by, which a server must be told. Only here are there defaults, plain HTTP and
# what is for developers alone.
LOCAL = not ON_LAMBDA and all(map(is_of_this_machine, host_names(os.environ.get("ALLOWED_HOSTS", ""))))


def locally(default):
    """A default for a developer's own machine; everywhere else the variable must be set."""
    return default if LOCAL else ...
