"""The demo's people and rules, and what they must lead to."""

from pathlib import Path

from django.contrib.auth import get_user_model
from django.db import transaction

from notifier import rulefiles
from notifier.rulefiles import texts

from .models import Profile

ADMIN, PASSWORD = "admin", "notifier"

# username, first name, mail, phone, active: the last five show what is skipped, and why.
PEOPLE = [
    ("ada", "Ada", "ada@example.com", "+44 7400 123401", True),
    ("bo", "Bo", "bo@example.com", "+44 7400 123402", True),
    ("chidi", "Chidi", "chidi@example.com", "+44 7400 123403", True),
    ("dunya", "Dunya & Söhne", "dunya@example.com", "+49 151 23456789", True),
    ("no_phone", "Noor", "noor@example.com", "", True),
    ("no_address", "Pat", "", "+44 7400 123406", True),
    ("bad_address", "Kim", "kim at example", "12345", True),
    ("opted_out", "Lee", "lee@example.com", "+44 7400 123499", True),
    ("inactive", "Ivy", "ivy@example.com", "+44 7400 123408", False),
]
CINEMA = ["ada", "bo", "no_address", "inactive"]
ACCOUNT = "@notifier_demo"

# As `manage.py rules export` writes them.
RULES = Path(__file__).with_name("rules.yaml")


@transaction.atomic
def load_demo():
    """Make people and rules, unless they are there: what somebody has changed meanwhile stays changed."""
    make_people()
    document, places = texts.read_document(RULES.read_text(encoding="utf-8"))
    there = rulefiles.read_rules()
    missing = {
        section: {name: row for name, row in rows.items() if name not in there[section]}
        for section, rows in rulefiles.check_document(document, places).items()
    }
    rulefiles.import_rules(missing, places=places, source=RULES.name)


def make_people():
    """The demo's people and its administrator, unless they are there."""
    for username, first_name, email, phone, active in PEOPLE:
        user, made = get_user_model().objects.get_or_create(
            username=username, defaults={"first_name": first_name, "email": email, "is_active": active}
        )
        if made:
            Profile.objects.create(user=user, phone=phone)
    if not get_user_model().objects.filter(username=ADMIN).exists():
        # Without an address, so that the flash sale leaves the administrator alone.
        get_user_model().objects.create_superuser(ADMIN, password=PASSWORD)


def expected_messages():
    """The ``(channel, recipient)`` pairs that one flash sale, one post and one movie night must lead to."""
    by_name = {username: (email, phone) for username, _, email, phone, _ in PEOPLE}
    mailed = ["ada", "bo", "chidi", "dunya", "no_phone", "opted_out"]
    texted = ["ada", "bo", "chidi", "dunya", "no_address"]
    return sorted(
        [("email", by_name[name][0]) for name in (*mailed, "ada", "bo")]
        + [("sms", by_name[name][1]) for name in texted]
        + [("inbox", name) for name in (*(name for name, *_, active in PEOPLE if active), ADMIN)]
        + [("twitter", ACCOUNT)]
    )
