"""What a person sets up in the admin, through its own pages."""

import re

TITLE, FOR_ONE = "{{ instance.title }}", "{{ instance.title }} for {{ user.first_name }}"
# Channel → the parts of its text.
TEXTS = {
    "email": {"subject": TITLE, "text": FOR_ONE},
    "sms": {"text": FOR_ONE},
    "twitter": {"text": TITLE},
    "chat": {"subject": TITLE, "text": "News: " + TITLE},
    "inbox": {"subject": TITLE, "text": "News: " + TITLE},
    "push": {"subject": TITLE, "text": "News: " + TITLE},
}
PASSWORD = {"password1": "linen-and-wool", "password2": "linen-and-wool"}


def add_user(visitor, username, **details):
    """Add a user, as the admin has it: name and password first, then the rest. Returns their id."""
    created = visitor.submit("/admin/auth/user/add/", "user_form", {"username": username, **PASSWORD})
    user = created.headers["location"].split("/")[-3]
    visitor.submit(f"/admin/auth/user/{user}/change/", "user_form", details)
    return user


def add_audience(visitor, name, **sources):
    visitor.submit("/admin/notifier/audience/add/", "audience_form", {"name": name, **sources})


def set_up_rule(visitor, *, name, channels, audience, model="demo.flashsale"):
    """A template for ``channels`` and a trigger whose one subscription sends it to the audience of that
    number.
    """
    contents = {"contents-TOTAL_FORMS": str(len(channels))}
    for number, channel in enumerate(channels):
        contents[f"contents-{number}-channel"] = channel
        contents |= {f"contents-{number}-{part}": text for part, text in TEXTS[channel].items()}
    visitor.submit("/admin/notifier/template/add/", "template_form", {"name": name.lower(), **contents})
    template = re.search(
        r"template/(\d+)/change", visitor.get("/admin/notifier/template/?q=" + name.lower()).text
    )[1]
    subscription = {
        "subscriptions-0-template": template,
        "subscriptions-0-channels": channels,
        "subscriptions-0-audiences": [str(audience)],
    }
    rule = {"name": name, "verb": "post_save", "model": model, "on": "created", **subscription}
    visitor.submit("/admin/notifier/trigger/add/", "trigger_form", rule)
