"""Secrets where others read them: in ``zappa_settings.json``, which is in Git, and in the functions' plain
environment.
"""

import json
import math
import re
from collections import Counter
from pathlib import Path

from . import parameters
from .findings import error

SHAPES = {
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    # The first "://name:" before an @ stands for all of them: so each character is looked at once.
    "an address with a password": re.compile(
        r"(?<![^\s@])(?>[^\s@]*?[a-z0-9+.-]://[^\s/:@]*+:)[^\s@]++@", re.IGNORECASE
    ),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
}
SECRET_NAME = re.compile(r"(SECRET|PASSWORD|PASSWD|TOKEN|PRIVATE|CREDENTIAL|(^|_)KEY|APIKEY)", re.IGNORECASE)
# Says where a secret is, not what it is: names with commas, a path, an ARN.
REFERENCE = re.compile(r"[A-Z][A-Z0-9_]*(,[A-Z][A-Z0-9_]*)*|/[\w./-]+|arn:.+")
# A name that speaks of what it holds beside, such as SECRETS_PATH or KEY_ID of KMS.
NOT_ITSELF = re.compile(r"(_PATH|_NAME|_ARN|_FILE|^SECRETS)$", re.IGNORECASE)
# Random text, whatever it is called. A secret key of AWS has 40 characters of 64 kinds: about 4.7 bits each.
RANDOM = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[\w+/=-]{32,}")
RANDOM_BITS = 4.2


def check_settings_file(context):
    """Nothing in the settings file may be a secret."""
    stacks = {function.stage: each.stack_name for each in context.deployments for function in each.functions}
    for path, value in _walk(json.loads(Path(context.settings_file).read_text())):
        if kind := kind_of_secret(path[-1], value):
            yield error(
                f"{context.settings_file} holds {kind}, at {'.'.join(path)}: everyone who "
                "reads the repository has it.",
                f"{parameters.put(stacks[path[0]], path[-1])} ; take it out of the file ; "
                "change it where it comes from.",
            )


def check_environment(context, function):
    """A secret in a deployed function's environment: all who may look at the function read it."""
    for name, value in context.environment(function).items():
        if kind := kind_of_secret(name, value):
            yield error(
                f"The environment of {function.name} holds {kind}, in {name}, in plain text.",
                f"{parameters.put(context.deployment.stack_name, name)} ; take it out of the "
                f"stage ; zappa update {function.stage}",
            )


def kind_of_secret(name, value):
    """The kind of secret that ``value``, known as ``name``, looks like; empty if it looks harmless."""
    for kind, shape in SHAPES.items():
        if shape.search(value):
            return kind
    if REFERENCE.fullmatch(value) and not SECRET_NAME.search(name):
        return ""
    if (
        SECRET_NAME.search(name)
        and not NOT_ITSELF.search(name)
        and not REFERENCE.fullmatch(value)
        and len(value) >= 8
    ):
        return "what its name calls a secret"
    return (
        "a random text like a key"
        if RANDOM.fullmatch(value) and _bits_per_character(value) >= RANDOM_BITS
        else ""
    )


def _bits_per_character(text):
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def _walk(node, path=()):
    """Every text of a JSON document with the keys that lead to it."""
    if isinstance(node, dict):
        for key, below in node.items():
            yield from _walk(below, (*path, key))
    elif isinstance(node, list):
        for index, below in enumerate(node):
            yield from _walk(below, (*path, str(index)))
    elif isinstance(node, str):
        yield path, node
