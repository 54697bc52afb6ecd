"""What `make screenshots` pictures: every page that somebody can come to."""

from pathlib import Path

from django.contrib import admin
from django.urls import reverse

from tests.screenshots.pages import PAUSED, SHOTS


def test_each_list_of_the_notifier_is_pictured_and_so_are_its_pages_of_its_own():
    listed = [reverse(f"admin:notifier_{model._meta.model_name}_changelist") for model in own_models()]
    pages = [reverse(f"admin:notifier_{name}") for name in ("overview", "setup", "why")]
    pictured = {shot.path.partition("?")[0] for shot in SHOTS}
    assert [path for path in listed + pages if path not in pictured] == []


def test_each_picture_has_a_name_of_its_own_and_the_readme_shows_four():
    shots = SHOTS + PAUSED
    assert len({shot.name for shot in shots}) == len(shots)
    readme = Path("README.md").read_text()
    shown = [shot.name for shot in shots if shot.in_readme]
    assert len(shown) == 4
    assert [name for name in shown if f"docs/{name}.png" not in readme] == []


def own_models():
    registered = [model for model in admin.site._registry if model._meta.app_label == "notifier"]
    return [model for model in registered if model._meta.model_name != "overview"]
