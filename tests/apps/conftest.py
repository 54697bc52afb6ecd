"""What docs/recipes.md says of an app, done: its signals registered as in ``ready()``, its rules imported."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User

from notifier.rulefiles import texts

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"


def section(heading):
    """The section ``### heading`` of the page."""
    return re.split(r"\n##+ ", PAGE.read_text().split(f"\n### {heading}\n")[1])[0]


@pytest.fixture
def recipe(db, request):
    """The app's section, followed. The test's module names it: ``APP``."""
    said = section(request.module.APP)
    for code in re.findall(r"```python\n(.*?)```", said, re.S):
        exec(code, {})
    (rules,) = re.findall(r"```yaml\n(.*?)```", said, re.S)
    for group in re.findall(r"groups: \[(.*?)\]", rules):
        Group.objects.create(name=group)
    texts.import_text(rules)


@pytest.fixture
def make_user(db):
    """``make_user("ada", group="Board")``."""

    def make_user(name, *, group=None):
        user = User.objects.create_user(name, f"{name}@example.com")
        if group:
            user.groups.add(Group.objects.get(name=group))
        return user

    return make_user
