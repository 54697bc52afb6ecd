"""Problems of a preview that only its data and its triggers show. Called by ``preview``."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError

from ..channels.message import Problem
from ..rules import roots
from ..templating import digest_data
from ..templating.braces import find_stray
from ..templating.compiler import path_names

MARK_SHOWN = 40


@dataclass(frozen=True, kw_only=True)
class Fault(Problem):
    """A Problem that stops the rendering, on ``line`` of its part where that is known."""

    line: int | None = None


def unchecked_names(compiled, triggers):
    """A warning for each argument of unknown type that is read further into, at the part that does."""
    found = {}
    for trigger in triggers:
        for name in roots.unchecked(trigger):
            for part, each in compiled.parts().items():
                tree = digest_data.folded(each.paths).get(name, {})
                if steps := {step: branch for step, branch in tree.items() if step}:
                    path = path_names({name: steps})[0]
                    text = f"Not checked: {path}. {roots.how_to_check(trigger, name)}"
                    found.setdefault((part, name), Problem(part=part, text=text))
    return found.values()


def left_over(parts):
    """Marks of the template language in what was rendered: a value holds them, or the text shows them on
    purpose.
    """
    for part, text in parts.items():
        if stray := find_stray(text, html=part == "html"):
            shown = text[stray.place :].split("\n")[0][:MARK_SHOWN].rstrip()
            yield Problem(part=part, text=f"It shows “{shown}” as it stands.")


def unknown_names(content, compiled, triggers):
    """The names that each trigger's events cannot give, at the part that reads them."""
    found = []
    for trigger in triggers:
        try:
            content.check_against(trigger, compiled=compiled)
        except ValidationError as error:
            found += [
                Fault(part=part, text=f"{text} (Trigger “{trigger}”.)", is_error=True)
                for part, texts in error.message_dict.items()
                for text in texts
            ]
    return found
