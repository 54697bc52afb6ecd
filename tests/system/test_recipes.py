"""docs/recipes.md: its rules, imported, do what the page says."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core import serializers

from notifier.rulefiles import texts
from notifier.testing import assert_notified, capture_notifications

pytestmark = pytest.mark.one_database

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"


def rules_of(heading):
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1]
    return re.search(r"```yaml\n(.*?)```", section, flags=re.S).group(1)


@pytest.mark.django_db
def test_who_is_new_is_welcomed_once_and_nobody_else(tmp_path):
    User.objects.create_user("grace", "grace@example.com", first_name="Grace")
    texts.import_text(rules_of("A welcome mail"))
    with capture_notifications() as sent:
        ada = User.objects.create_user("ada", "ada@example.com", first_name="Ada")
        ada.last_name = "Lovelace"
        ada.save()
        User.objects.bulk_create([User(username="bo", email="bo@example.com")])
        loaded = User(pk=ada.pk + 10, username="dunya", email="dunya@example.com")
        for each in serializers.deserialize("json", serializers.serialize("json", [loaded])):
            each.save()
    assert_notified(sent, ada, channel="email", containing="Your account ada is ready")
    assert [message.subject for message in sent] == ["Welcome, Ada"]
