"""docs/quick-start.md, followed word by word in a fresh project: a model, a rule, and the message printed."""

import datetime as dt
import re
import shlex
from contextlib import suppress

import pytest
from django.utils import timezone

from notifier import emit
from notifier.channels import registry
from notifier.console.printing import LEASE_SECONDS, print_waiting
from notifier.deliveries.clock import RESERVE_SECONDS
from notifier.models import Delivery, Event
from notifier.queue.publisher import diverted
from project.demo.models import Post
from tests.support.builders import make_audience, make_trigger, make_user
from tests.support.fresh_project import HOUSE, FreshProject
from tests.support.functions import let_time_pass

pytestmark = pytest.mark.one_database

PAGE = (HOUSE / "docs" / "quick-start.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


# The names that are imported of what its pip line installs.
IMPORTED = {
    "django": "django",
    "django-unfold": "unfold",
    "css-inline": "css_inline",
    "inscriptis": "inscriptis",
}


def arguments(script):
    """``[["migrate"], …]`` of lines ``python manage.py migrate``."""
    return [line.split()[2:] for line in script.splitlines()]


def installed(script):
    """The names to import of what ``pip install`` is given, and of it alone."""
    (line,) = re.findall(r"pip install (.*)", script)
    return {IMPORTED[re.match("[a-z-]+", each.lower())[0]] for each in shlex.split(line)}


@pytest.fixture
def shop(tmp_path):
    """The project as it is before step 1: only what the page says is there."""
    installing = blocks("sh")[0]
    shop = FreshProject(tmp_path, installed=installed(installing))
    shop.run("-m", "django", "startproject", "shop", ".")
    shop.manage("startapp", "movies")
    shop.copy(*re.findall(r"cp -r \$NOTIFIER/(\w+) \.", installing))
    return shop


def test_the_quick_start_prints_once_what_its_page_shows(shop):
    _, migrating, printing = map(arguments, blocks("sh"))
    settings, model, rule, event = blocks("python")
    shop.add("shop/settings.py", settings)
    shop.write("movies/models.py", model)
    for command in migrating:
        shop.manage(*command)
    assert shop.manage("check") == "System check identified no issues (0 silenced).\n"
    assert shop.shell(rule) == ""
    # A shell that has asked the database nothing; it says nothing of an SNS that is not there.
    assert shop.shell(event) == ""
    (shown,) = re.findall(r"```\n(─.*?)```", PAGE, re.S)
    assert [shop.manage(*printing[0]) for _ in range(2)] == [shown, ""]


@pytest.fixture
def posts(db, monkeypatch, settings):
    monkeypatch.setattr(registry, "_registered", {"console"})
    settings.NOTIFIER = settings.NOTIFIER | {"ADDRESSES": {"console": "username", "email": "email"}}
    contents = {"console": {"text": "{{ instance.title }} for {{ user.first_name }}"}, "email": {"text": "-"}}
    make_trigger(contents=contents, channels=["console", "email"], audiences=[make_audience(everyone=True)])
    make_user(username="ada", first_name="Ada")
    with diverted():
        yield


@pytest.mark.django_db(transaction=True)
def test_each_is_printed_once_and_what_is_for_other_channels_waits(posts):
    Post.objects.create(title="Linen")
    printed = []

    assert [print_waiting(printed.append), print_waiting(printed.append)] == [1, 0]
    assert "To: ada\n\nLinen for Ada\n" in printed[0]
    assert Event.objects.get().status == "done"
    assert dict(Delivery.objects.values_list("channel", "status")) == {"console": "sent", "email": "queued"}


class Stopped(BaseException):
    """Ctrl-C, or the end of the process."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [Stopped, BrokenPipeError])
def test_what_was_taken_up_and_not_printed_is_printed_later(posts, error):
    Post.objects.create(title="Linen")

    def write(text):
        raise error

    with suppress(error):
        print_waiting(write)
    let_time_pass()
    printed = []
    assert print_waiting(printed.append) == 1
    assert "Linen for Ada" in printed[0]


@pytest.mark.django_db(transaction=True)
def test_an_event_that_is_scheduled_is_printed_when_it_is_time(posts):
    post, at = Post.objects.create(title="Linen"), timezone.now() + dt.timedelta(hours=1)
    emit("post_save", instance=post, created=False, at=at)
    printed = []
    assert [print_waiting(printed.append), print_waiting(printed.append)] == [1, 0]
    Event.objects.update(starts_at=timezone.now(), due_at=timezone.now())
    assert print_waiting(printed.append) == 1


@pytest.mark.parametrize("package", ["no_such_package", "no_such.package", "lambdas"])
def test_a_channel_without_a_module_or_a_package_has_nothing_of_its_own(package, monkeypatch, settings):
    monkeypatch.setattr(registry, "_registered", {"console"})
    settings.NOTIFIER = settings.NOTIFIER | {"CHANNELS_PACKAGE": package}
    assert "console" in registry.channel_names()
    assert (registry.own_gate("console"), registry.price("console", None)) == (None, 0)
    assert registry.label("console") == "Console"


def test_a_lease_leaves_time_to_print():
    assert LEASE_SECONDS > RESERVE_SECONDS


def test_no_deployment_has_it_unless_its_app_is_installed():
    assert "console" not in registry.channel_names()
