"""The parts that unfold shows of this project: where one is, and the page of those who are locked out."""

import os

from axes.helpers import get_cool_off, get_failure_limit
from django.contrib import admin
from django.shortcuts import render

from notifier import conf
from notifier.deploy.environment import LOCAL
from notifier.gates import allow_list


def stage(request):
    """``[text, colour]`` as unfold takes them. Zappa puts the stage's name into the environment."""
    if LOCAL:
        return ["This machine", "info"]
    name = conf.get("STAGE") or os.environ.get("STAGE") or "production"
    shown = name.replace("_", " ").capitalize()
    if (patterns := conf.get("DELIVER_ONLY_TO")) is not None:
        only = f"only to {allow_list.name_patterns(patterns)}" if patterns else "to nobody"
        return [f"{shown}: delivers {only}", "warning"]
    return [shown, "danger" if name.startswith("prod") else "warning"]


def locked_out(request, _response, credentials):
    """The page that axes answers with; its own way with a template would leave unfold's colours out."""
    limits = {
        "failure_limit": get_failure_limit(request, credentials),
        "cooloff_timedelta": get_cool_off(request),
        "reached_limit": getattr(request, "reached_limit", ""),
    }
    return render(request, "locked_out.html", admin.site.each_context(request) | limits, status=429)
