"""The demo's people and rules, and what they must lead to."""

from pathlib import Path

from django.contrib.auth import get_user_model
from django.db import transaction

from notifier.models import Audience, Subscription, Template, TemplateContent, Trigger

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

SMS = (
    "{{ instance.title }}: {{ instance.discount_percent }}% off until {{ instance.ends_at|date:'H:i' }}, "
    "{{ user.first_name }}! {{ instance.url }}"
)
CONTENTS = {
    "flash_sale": {
        "email": {
            "subject": "{{ instance.title }}: {{ instance.discount_percent }}% off",
            "html": (Path(__file__).parent / "flash_sale_template.html").read_text(),
        },
        "sms": {"text": SMS},
    },
    "new_post": {"twitter": {"text": "New blog post! {{ instance.title }}"}},
    "movie_night": {
        "email": {
            "subject": "{{ movie.title }} is on",
            "text": "Hello {{ user.first_name }},\n\n{{ movie.title }} is showing tonight. Your seat is kept.\n",
        }
    },
}
# trigger: verb, model, on; template, channels; audience
RULES = [
    ("Flash sale created", "post_save", "demo.flashsale", "created", "flash_sale", ["email", "sms"], "Everyone"),
    ("Post created", "post_save", "demo.post", "created", "new_post", ["twitter"], "Our X account"),
    ("Movie night", "notify_audiences", "demo.movie", "any", "movie_night", ["email"], "A movie's audiences"),
]
AUDIENCES = {
    "Everyone": {"everyone": True},
    "Our X account": {"addresses": f"twitter: {ACCOUNT}"},
    "A movie's audiences": {"paths": "movie.audiences"},
}


@transaction.atomic
def load_demo():
    """Make people and rules, unless they are there: what somebody has changed meanwhile stays changed."""
    for username, first_name, email, phone, active in PEOPLE:
        user, made = get_user_model().objects.get_or_create(
            username=username, defaults={"first_name": first_name, "email": email, "is_active": active}
        )
        if made:
            Profile.objects.create(user=user, phone=phone)
    if not get_user_model().objects.filter(username=ADMIN).exists():
        # Without an address, so that the flash sale leaves the administrator alone.
        get_user_model().objects.create_superuser(ADMIN, password=PASSWORD)
    for name, sources in AUDIENCES.items():
        Audience.objects.get_or_create(name=name, defaults=sources)
    for name, contents in CONTENTS.items():
        template, _ = Template.objects.get_or_create(name=name)
        for channel, parts in contents.items():
            TemplateContent.objects.get_or_create(template=template, channel=channel, defaults=parts)
    for name, verb, model, on, template, channels, audience in RULES:
        trigger, made = Trigger.objects.get_or_create(name=name, defaults={"verb": verb, "model": model, "on": on})
        if made:
            subscription = Subscription.objects.create(
                trigger=trigger, template=Template.objects.get(name=template), channels=channels
            )
            subscription.audiences.add(Audience.objects.get(name=audience))


def expected_messages():
    """The ``(channel, recipient)`` pairs that one flash sale, one post and one movie night must lead to."""
    by_name = {username: (email, phone) for username, _, email, phone, _ in PEOPLE}
    mailed = ["ada", "bo", "chidi", "dunya", "no_phone", "opted_out"]
    texted = ["ada", "bo", "chidi", "dunya", "no_address"]
    return sorted(
        [("email", by_name[name][0]) for name in (*mailed, "ada", "bo")]
        + [("sms", by_name[name][1]) for name in texted]
        + [("twitter", ACCOUNT)]
    )
