"""What is wrong with ``NOTIFIER["NEVER"]``: a label that is written wrongly keeps nothing back."""

from django.apps import apps
from django.conf import settings
from django.core import checks


@checks.register(checks.Tags.security)
def check_never(**_options):
    """Labels of apps and models of which no event may hold anything."""
    labels = getattr(settings, "NOTIFIER", {}).get("NEVER", ())
    if not isinstance(labels, list | tuple | set | frozenset):
        return [_error(f"is {labels!r}, which is no list of labels")]
    return [_error(f"has {label!r}: there is {what}") for label in labels if (what := _missing(label))]


def _missing(label):
    if not isinstance(label, str) or not label:
        return "no such app or model"
    app, _dot, model = label.partition(".")
    try:
        found = apps.get_app_config(app)
        if model:
            found.get_model(model)
        return ""
    except LookupError:
        return f"no model “{label}”" if model else f"no app “{label}”"


def _error(what):
    return checks.Error(
        f'NOTIFIER["NEVER"] {what}.',
        hint='Write labels of apps and models that are installed: ["payroll", "shop.Salary"].',
        id="notifier.E031",
    )
