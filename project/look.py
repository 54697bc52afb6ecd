"""Where one is: on this machine, or in which deployed stage. Next hop: unfold shows it beside the title."""

import os

from .environment import ON_LAMBDA


def stage(request):
    """``[text, colour]`` as unfold takes them. Zappa puts the stage's name into the environment."""
    if not ON_LAMBDA:
        return ["This machine", "info"]
    name = os.environ.get("STAGE") or "production"
    return [name.replace("_", " ").capitalize(), "danger" if name.startswith("prod") else "warning"]
