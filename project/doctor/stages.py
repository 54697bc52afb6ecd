"""Does ``zappa_settings.json`` name a function for each channel, one that exists, and nothing that costs or shows too much?"""

import json
from importlib import import_module
from pathlib import Path

from notifier.channels import channel_names

from .findings import error, warning

# What Zappa takes a key for that is left out: https://github.com/zappa/Zappa#advanced-settings
ZAPPA_DEFAULTS = {"debug": True, "keep_warm": True, "log_level": "DEBUG"}
UNWANTED = {
    "debug": (True, "shows tracebacks and settings to visitors", "false"),
    "keep_warm": (True, "calls the function every four minutes for nothing", "false"),
    "log_level": ("DEBUG", "writes requests, with what they carry, to the log", '"INFO"'),
}


def read_stages(path):
    """``{stage: config}`` of a Zappa settings file, each with what it extends merged in, as Zappa merges it.

    Raises OSError when it cannot be read and ValueError when it is no JSON or extends a stage that is not there.
    """
    raw = json.loads(Path(path).read_text())

    def merged(name, below=()):
        if name not in raw or name in below:
            raise ValueError(f"The stage {(*below, name)[-2:]} extends nothing that is there.")
        own = raw[name]
        return {**merged(own["extends"], (*below, name)), **own} if "extends" in own else own

    return {name: merged(name) for name in raw}


def check_channels(context):
    """A channel without a function: what is sent by it stays in the database."""
    modules = {name: config.get("lambda_handler", "").split(".")[-2:-1] for name, config in context.stages.items()}
    environments = [context.stage] if context.stage else [name for name, module in modules.items() if not module]
    for environment in environments:
        served = {module[0] for name, module in modules.items() if module and name.startswith(f"{environment}_")}
        for channel in channel_names():
            if channel not in served:
                yield error(
                    f"The channel {channel} has no function in {environment}: nothing takes what is sent by it.",
                    f'Add the stage "{environment}_{channel}" with "lambda_handler": "lambdas.{channel}.handler" to '
                    f"{context.settings_file}, then: zappa deploy {environment}_{channel}",
                )


def check_handlers(context):
    """A stage whose handler does not exist: its function fails at every call."""
    for name, config in _stages_of(context):
        handler = config.get("lambda_handler") or config.get("app_function", "")
        if problem := _problem_with(handler):
            yield error(
                f'The stage {name} names "{handler}", {problem}.',
                f'Correct "lambda_handler" of {name} in {context.settings_file}, then: zappa update {name}',
            )


def check_switches(context):
    """Zappa's ``debug``, ``keep_warm`` and ``log_level``, which are all on where a stage says nothing."""
    for name, config in _stages_of(context):
        for key, (unwanted, effect, wanted) in UNWANTED.items():
            if config.get(key, ZAPPA_DEFAULTS[key]) == unwanted:
                state = json.dumps(unwanted) if key in config else f"not set, which is {json.dumps(unwanted)}"
                yield warning(
                    f'"{key}" of the stage {name} is {state}; it {effect}.',
                    f'Set "{key}": {wanted} for {name} in {context.settings_file}, then: zappa update {name}',
                )


def _stages_of(context):
    """The stages that are looked at: all, or those of one deployment."""
    for name, config in context.stages.items():
        if not context.stage or name == context.stage or name.startswith(f"{context.stage}_"):
            yield name, config


def _problem_with(dotted_path):
    module, _, name = dotted_path.rpartition(".")
    try:
        found = getattr(import_module(module), name, None)
    except (ImportError, ValueError):
        return "and there is no such module"
    return "" if callable(found) else f"and {module} has no such function"
