"""The support that plants marks does so in each column, as tests of who may read what rely on it."""

import pytest
from django.contrib.auth import get_user_model

from tests.support.builders import make_user
from tests.support.planting import WORKING, columns_with, plant, planted_models, text_columns

pytestmark = pytest.mark.django_db


def test_each_text_column_holds_its_mark():
    person = make_user()
    plant(lambda field: f"planted {field.name}", user=person)
    expected = {
        f"{model._meta.label_lower}.{column.name}"
        for model in planted_models()
        if model is not get_user_model()
        for column in text_columns(model)
        if not column.choices and column.name not in WORKING and column.name != "recipient"
    }
    assert expected - columns_with("planted").keys() == {
        # Their shapes hold no text of anybody's.
        "notifier.audience.callables", "notifier.event.causes", "notifier.event.cursor",
        "notifier.event.explanation",
        "notifier.event.plan", "notifier.subscription.channels", "notifier.template.providers",
    }  # fmt: skip
