"""What people read in the admin is said in words that can be translated: each label is looked up when it is
shown.
"""

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.utils.functional import Promise

PRODUCT = Path(__file__).parents[2] / "notifier"
MODELS = list(apps.get_app_config("notifier").get_models())
# Where these are given, a person reads them.
LABELS = {
    "description", "empty_label", "help_text", "label", "nothing_yet", "short_description", "verbose_name",
    "verbose_name_plural",
}  # fmt: skip
PAGES = [path for folder in ("admin", "models", "preferences") for path in (PRODUCT / folder).rglob("*.py")]


def labels_of(field):
    """Every label of a column that somebody wrote, with what it is."""
    if field._verbose_name is not None:
        yield "label", field._verbose_name
    if field.help_text:
        yield "help", field.help_text
    for value, label in field.flatchoices:
        yield f"choice {value}", label


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_label_of_a_model_can_be_translated(model):
    written = [
        (field.name, kind, label)
        for field in [*model._meta.concrete_fields, *model._meta.local_many_to_many]
        # Django names a key by itself, and keys have no choices.
        if not isinstance(field, models.AutoField)
        for kind, label in labels_of(field)
    ]
    assert [each for each in written if not isinstance(each[-1], Promise)] == []


@pytest.mark.parametrize(
    "model", [model for model in MODELS if admin.site.is_registered(model)], ids=lambda model: model.__name__
)
def test_a_model_that_the_admin_shows_has_names_and_so_has_each_column_of_its_form(model):
    names = [model._meta.verbose_name, model._meta.verbose_name_plural]
    assert all(isinstance(name, Promise) for name in names)
    permissions = dict(model._meta.permissions)
    assert all(isinstance(words, Promise) for words in permissions.values())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(PRODUCT)))
def test_no_page_gives_a_label_as_a_bare_text(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    given = [word for call in calls for word in call.keywords if word.arg in LABELS]
    assert [f"line {word.value.lineno}: {word.arg}" for word in given if is_bare(word.value)] == []


def is_bare(node):
    return isinstance(node, ast.JoinedStr) or isinstance(node, ast.Constant) and bool(node.value)


@pytest.mark.parametrize(
    ("source", "bare"),
    [('label="Name"', True), ('label=f"{name}"', True), ('label=_("Name")', False), ('label=""', False)],
)
def test_a_bare_text_is_told_from_one_that_is_looked_up(source, bare):
    (word,) = ast.parse(f"field({source})").body[0].value.keywords
    assert is_bare(word.value) == bare
