"""Checks that ``zappa_settings.json`` names a function for each channel, one that exists, and switches on
nothing that costs or shows too much.
"""

import json
from importlib import import_module

from notifier.channels.registry import channel_names

from .findings import error, warning

# What Zappa takes a key for that is left out: https://github.com/zappa/Zappa#advanced-settings
ZAPPA_DEFAULTS = {"debug": True, "keep_warm": True, "log_level": "DEBUG"}
# Key: (what it should not be, what that does, what it should be)
UNWANTED = {
    "debug": (True, "shows tracebacks to visitors", "false"),
    "keep_warm": (True, "calls the function every four minutes for nothing", "false"),
    "log_level": ("DEBUG", "writes requests, with what they carry, to the log", '"INFO"'),
}


def check_channels(context):
    """A channel without a function: what is sent by it stays in the database."""
    for deployment in context.deployments:
        served = {function.module for function in deployment.functions}
        for channel in channel_names():
            if channel not in served:
                stage = f"{deployment.name}_{channel}"
                yield warning(
                    f"The channel {channel} has no function in {deployment.name}: nothing "
                    "would take what is sent by it.",
                    f'Add the stage "{stage}" with "lambda_handler": '
                    f'"lambdas.{channel}.handler" to {context.settings_file}, '
                    f"then: zappa deploy {stage}",
                )


def check_handlers(context):
    """A stage whose handler does not exist: its function fails at every call."""
    for function in _functions_of(context):
        handler = function.config.get("lambda_handler") or function.config.get("app_function", "")
        if problem := _problem_with(handler):
            yield error(
                f'The stage {function.stage} names "{handler}", {problem}.',
                f'Correct "lambda_handler" of {function.stage} in {context.settings_file}, '
                f"then: zappa update {function.stage}",
            )


def check_switches(context):
    """Zappa's ``debug``, ``keep_warm`` and ``log_level``, which are all on where a stage says nothing."""
    for key, (unwanted, effect, wanted) in UNWANTED.items():
        affected = [
            each for each in _functions_of(context) if each.config.get(key, ZAPPA_DEFAULTS[key]) == unwanted
        ]
        # Stages extend one another: said once, with the first, it is usually said for all.
        if affected:
            first, stages = affected[0].stage, ", ".join(function.stage for function in affected)
            yield warning(
                f'"{key}" is {json.dumps(unwanted)} in {stages}{_unset(key, affected)}: it {effect}.',
                f'Set "{key}": {wanted} in {context.settings_file}, in {first} and where it is '
                "set again, then: zappa update --all",
            )


def _unset(key, functions):
    return " (Zappa's default)" if all(key not in function.config for function in functions) else ""


def _functions_of(context):
    return [function for deployment in context.deployments for function in deployment.functions]


def _problem_with(dotted_path):
    module, _, name = dotted_path.rpartition(".")
    try:
        found = getattr(import_module(module), name, None)
    except (ImportError, ValueError):
        return "and there is no such module"
    return "" if callable(found) else f"and {module} has no such function"
