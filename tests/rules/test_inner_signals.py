"""What Django's own signals offer to templates, and what they never do."""

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from notifier.models import Event, Subscription
from notifier.rules import signals
from tests.support.builders import make_template, make_trigger, make_user

# The arguments that an event may hold: names and flags, and objects, of which a template names columns.
OFFERED = {
    # Its `args` are the columns of a row, a password's hash among them, and no name stands at them.
    "pre_init": (),
    "post_init": ("instance",),
    "pre_save": ("instance", "update_fields", "using"),
    "post_save": ("instance", "created", "update_fields", "using"),
    "pre_delete": ("instance", "using"),
    "post_delete": ("instance", "using"),
    "m2m_changed": ("instance", "action", "reverse", "model", "pk_set", "using"),
    "pre_migrate": ("verbosity", "interactive", "using"),
    "post_migrate": ("verbosity", "interactive", "using"),
    # Not the value.
    "setting_changed": ("setting", "enter"),
}


def test_no_signal_of_django_offers_columns_without_their_names(monkeypatch):
    monkeypatch.setattr(signals, "_registry", {})
    monkeypatch.setattr(signals, "_listeners", [])
    signals.register_builtin_signals()
    assert {name: args for name in signals.names() if (args := signals.get(name).args)} == {
        name: args for name, args in OFFERED.items() if args
    }


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["args", "kwargs"])
def test_the_columns_of_a_row_that_is_read_can_be_named_by_nothing(name):
    trigger = make_trigger(verb="pre_init", model="auth.user", subscribe=False)
    template = make_template({"email": {"subject": ".", "text": f"{{{{ {name}|join:' ' }}}}"}})
    with pytest.raises(ValidationError, match=name):
        Subscription(trigger=trigger, template=template, channels=["email"]).full_clean()
    make_user(password="md5$hash")
    User.objects.get()
    assert "hash" not in str([event.data for event in Event.objects.all()])
