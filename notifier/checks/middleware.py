"""Checks of the signal middleware that the settings name."""

from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

from ..rules import signals


@checks.register(checks.Tags.compatibility)
def check_middleware(**_options):
    """Signal middleware: paths that lead nowhere, names that are taken."""
    paths = getattr(settings, "NOTIFIER", {}).get("MIDDLEWARE", [])
    if not isinstance(paths, list | tuple):
        return [
            checks.Error(
                'NOTIFIER["MIDDLEWARE"] is not a list.',
                hint="Write a list of dotted paths.",
                id="notifier.E005",
            )
        ]
    problems, given = [], {}
    for path in paths:
        try:
            factory = import_string(path)
        except Exception as error:
            problems.append(
                _middleware_error(
                    path, f"cannot be imported: {error}", "Write module.function or module.Class."
                )
            )
            continue
        provides = getattr(factory, "provides", ())
        if not callable(factory):
            problems.append(
                _middleware_error(
                    path, "cannot be called.", "Name a function or a class that takes `record`."
                )
            )
        if not _is_list_of_names(provides):
            problems.append(
                _middleware_error(path, "provides no list of names.", 'Write provides = ("name",).')
            )
        else:
            problems += _name_clashes(path, provides, given)
    return problems


def _middleware_error(path, what, hint):
    return checks.Error(f'NOTIFIER["MIDDLEWARE"]: {path} {what}', hint=hint, id="notifier.E006")


def _is_list_of_names(provides):
    return isinstance(provides, list | tuple | set | frozenset) and all(
        isinstance(name, str) and name.isidentifier() and not name.startswith("_") for name in provides
    )


def _name_clashes(path, provides, given):
    """Errors for names that are taken; ``given``, name → who provides it, gets the others."""
    taken = dict.fromkeys(signals.RESERVED_NAMES, "a name of every event")
    for verb in signals.names():
        taken |= {name: f"an argument of the signal {verb}" for name in signals.get(verb).args}
    taken |= {name: f"provided by {other} already" for name, other in given.items()}
    given |= dict.fromkeys(provides, path)
    return [
        checks.Error(
            f'NOTIFIER["MIDDLEWARE"]: {path} provides “{name}”, which is {taken[name]}.',
            hint="Give it another name.",
            id="notifier.E007",
        )
        for name in provides
        if name in taken
    ]
