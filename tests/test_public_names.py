"""What a project calls stands in ``notifier`` itself, and an app's models may import it."""

import subprocess
import sys
from pathlib import Path

import pytest

import notifier
from notifier.channels.limits import Limit
from notifier.channels.registry import register_channel
from notifier.models import Device
from notifier.rules.audiences import register_audience
from notifier.rules.declarations import notify_on
from notifier.rules.providers import register_provider
from notifier.rules.signals import register_signal
from tests.support.builders import make_user

HOUSE = Path(__file__).parents[1]
INNER = [Limit, notify_on, register_audience, register_channel, register_provider, register_signal]


def test_every_public_name_is_there_before_django_is_set_up():
    """In a process without settings: whoever needs models imports them when called."""
    code = "import notifier; assert all(callable(getattr(notifier, name)) for name in notifier.__all__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=HOUSE, env={}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("inner", INNER, ids=lambda inner: inner.__name__)
def test_a_public_name_is_what_its_module_has(inner):
    assert getattr(notifier, inner.__name__) is inner


def test_every_public_name_is_one_of_these():
    """A name that is added gets its row above, or a test that calls it."""
    called = {"emit", "emit_bulk", "register_device"}
    assert set(notifier.__all__) == called | {inner.__name__ for inner in INNER}


@pytest.mark.django_db
def test_a_device_is_registered_by_the_public_name():
    ada = make_user()
    device = notifier.register_device(ada, platform="fcm", token="a-token")
    assert Device.objects.get() == device
    assert (device.user, device.token) == (ada, "a-token")


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="register_pigeon"):
        notifier.register_pigeon  # noqa: B018
