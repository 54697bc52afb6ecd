"""Reads ``zappa_settings.json`` as Zappa does, and finds which stages are one deployment."""

import json
from dataclasses import dataclass
from pathlib import Path

from slugify import slugify

from notifier.exceptions import ConfigurationError

SETTINGS_FILE = "zappa_settings.json"
WEB = "web"


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """One stage: ``name`` is what Zappa calls its Lambda function, ``module`` the file behind its handler, or
    ``web``.

    ``config`` is the stage's settings with those that it extends.
    """

    stage: str
    name: str
    module: str
    config: dict

    @property
    def handler(self):
        """The dotted path of the handler; empty for the web function, whose handler is Zappa's."""
        return self.config.get("lambda_handler", "")

    @property
    def environment(self):
        return self.config.get("aws_environment_variables", {})

    @property
    def secrets(self):
        """Names of the parameters that the function reads at its start."""
        return tuple(name.strip() for name in self.environment.get("SECRETS", "").split(",") if name.strip())


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """The web function's stage and those named after it (``production``, ``production_email``, …); the web
    function is first.
    """

    name: str
    functions: tuple[Function, ...]

    @property
    def web(self):
        return self.functions[0]

    @property
    def stack_name(self):
        return self.web.name

    @property
    def function_folders(self):
        """The top-level folders that the handlers stand in, such as ``lambdas``."""
        return frozenset(each.handler.partition(".")[0] for each in self.functions if each.handler)

    def function(self, stage):
        """The function of ``stage``. Raises ConfigurationError when the deployment has none."""
        for function in self.functions:
            if function.stage == stage:
                return function
        raise ConfigurationError(
            f"{self.name} has no stage {stage}. It has: {', '.join(each.stage for each in self.functions)}."
        )


def read_deployment(stage, settings_file=SETTINGS_FILE):
    """The :class:`Deployment` that ``stage`` is part of.

    Raises ConfigurationError when the file or the stage is not there.
    """
    stages = _read(Path(settings_file))
    if stage not in stages:
        raise ConfigurationError(f"{settings_file} has no stage {stage}. It has: {', '.join(stages)}.")
    configs = {name: _config(stages, name) for name in stages}
    webs = [name for name, config in configs.items() if "lambda_handler" not in config]
    environment = _environment_of(stage, webs)
    if environment is None:
        raise ConfigurationError(
            f"No web stage belongs to {stage}: it should be named like one, with an underscore "
            "and the function."
        )
    members = [
        environment,
        *(name for name in stages if name != environment and _environment_of(name, webs) == environment),
    ]
    for name in members:
        configs[name]["aws_environment_variables"] = _variables(stages, name, environment, webs)
    return Deployment(name=environment, functions=tuple(_function(name, configs[name]) for name in members))


def _read(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"There is no {path} here. Run this in the project's folder.") from None
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{path} is not valid JSON: {error}.") from None


def _config(stages, name, below=()):
    """As Zappa merges: a key of the stage replaces the extended one whole."""
    if name in below or name not in stages:
        raise ConfigurationError(
            f"Stage {(*below, name)[0]} extends {name}, which "
            f"{'extends it' if name in below else 'is not there'}."
        )
    own = stages[name]
    inherited = _config(stages, own["extends"], (*below, name)) if own.get("extends") else {}
    return inherited | own


def _variables(stages, name, web, webs):
    """The web stage's variables, and over them those of the function's own stages.

    Zappa alone would replace the one by the other.
    """
    own = [each for each in _chain(stages, name) if each not in webs]
    merged = {}
    for each in [*_chain(stages, web), *own]:
        merged |= stages[each].get("aws_environment_variables", {})
    return merged


def _chain(stages, name):
    """The stages that ``name`` extends, from the farthest on, and itself."""
    extended = stages[name].get("extends")
    return [*(_chain(stages, extended) if extended else []), name]


def _environment_of(stage, webs):
    """The longest one: ``production_eu`` can be an environment beside ``production``."""
    return max((web for web in webs if stage == web or stage.startswith(f"{web}_")), key=len, default=None)


def _function(stage, config):
    # Zappa's own rule, and its own default.
    project = config.get("project_name") or slugify(Path.cwd().name)[:15]
    handler = config.get("lambda_handler", "")
    return Function(
        stage=stage,
        name=slugify(f"{project}-{stage}"),
        module=handler.split(".")[-2] if "." in handler else WEB,
        config=config,
    )
