"""django-simple-history: a version is written."""

from notifier.testing import capture_notifications
from tests.apps.shop.models import Contract

APP = "django-simple-history"


def test_who_changed_what_and_why_is_told_and_the_first_version_is_not(recipe, make_user):
    make_user("olga", group="Office")

    with capture_notifications() as sent:
        contract = Contract(title="Lease", amount=100)
        contract._history_user = make_user("ada")
        contract.save()
        contract.amount = 90
        contract._change_reason = "haggled"
        contract.save()

    assert [(m.subject, m.text) for m in sent] == [("Lease was changed", "ada: haggled")]
