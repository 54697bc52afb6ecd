"""A reader of django-signal-notifier's pages: the project that they have made, and what they do in it.

https://github.com/hadi2f244/django-signal-notifier
"""

import html
import re
from contextlib import contextmanager

from tests.support.fresh_project import FreshProject

SETTINGS = """
INSTALLED_APPS = ["unfold", *INSTALLED_APPS, "myapp", "notifier", "notifier.console"]
NOTIFIER = {"TOPIC_ARN": "", "ADDRESSES": {"console": "username"}}
"""
MODELS = """
from django.conf import settings
from django.db import models


class TestModel1(models.Model):
    name = models.CharField(max_length=128)
    extra_field = models.CharField(max_length=128)

    def __str__(self):
        return self.name


class Movie(models.Model):
    name = models.CharField(max_length=255)
    audiences = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True)

    def __str__(self):
        return self.name


class Profile(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="dsn_profile")
    telegram_chat_id = models.CharField(max_length=20)
"""
SIGNALS = """
from django.dispatch import Signal

custom_signal = Signal()
inform_audiences = Signal()
rated = Signal()
"""
APPS = """
import datetime

from django.apps import AppConfig


class MyappConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "myapp"

    def ready(self):
        from django.contrib.auth.models import User

        from notifier import register_provider, register_signal

        from .models import Movie
        from .signals import custom_signal, inform_audiences, rated

        register_signal("custom_signal", custom_signal, args=["parameter1"])
        register_signal("inform_audiences", inform_audiences, args={"movie": Movie}, object="movie")
        register_signal("rated", rated, args={"user": User, "target": Movie, "stars": int}, actor="user")
        # `get_template_context`
        register_provider("now", lambda context: {"current_time": "today"}, provides=["current_time"])
        register_provider("films", films_of, provides=["films"])


def films_of(context, user):
    return {"films": user.movie_set.count()}
"""
# A messenger: one file.
PAGER = """
LABEL = "Pager"
EXAMPLE = "+1 555"
"""
ADMIN = "/admin/notifier"
RULES = "Subscription, Trigger, Audience, TemplateContent, Template"


class Walker:
    """Fills in the admin's pages, types into shells, and reads what is printed."""

    def __init__(self, project, browser):
        self.project, self.browser = project, browser

    def add(self, what, **values):
        self.browser.submit(f"{ADMIN}/{what}/add/", values)
        return self.newest(what)

    def newest(self, what):
        keys = re.findall(rf"/{what}/(\d+)/change/", self.browser.get(f"{ADMIN}/{what}/"))
        return max(keys, key=int)

    def add_template(self, name, text, *, channel="console", **more):
        contents = {"TOTAL_FORMS": "1", "0-channel": channel, "0-text": text}
        return self.add(
            "template", name=name, **{f"contents-{key}": v for key, v in contents.items()}, **more
        )

    def add_trigger(self, name, *, template, audiences, **values):
        return self.add("trigger", name=name, **values, **subscription(template, audiences))

    def types(self, *lines, says=""):
        """Type the lines into a shell of their own."""
        assert self.project.shell("\n".join(lines)) == says

    def printed(self):
        """To whom what is printed."""
        text = self.project.manage("console", "--once")
        return sorted(re.findall(r"To: ([\w:]+)\n(?:Subject: .*\n)?\n(.*)\n", text))

    def refusal(self, text, **trigger):
        """What the page of a trigger says that is given a template of this text."""
        template = self.add_template("refused", text)
        audience = self.add("audience", name="Admin", users=[key_of(self, "admin")])
        values = {"name": "Refused"} | trigger | subscription(template, [audience])
        return html.unescape(self.browser.problems(f"{ADMIN}/trigger/add/", values))


def subscription(template, audiences, channel="console"):
    return {
        "subscriptions-0-template": template,
        "subscriptions-0-channels": [channel],
        "subscriptions-0-audiences": audiences,
    }


def key_of(walker, name):
    """A user's key, as the admin's list links it."""
    return re.findall(
        rf"/admin/auth/user/(\d+)/change/[^>]*>\s*{name}\s*<", walker.browser.get("/admin/auth/user/")
    )[0]


@contextmanager
def walking(folder):
    """Setup: installed, in INSTALLED_APPS, migrated; the server runs, and the reader is in the admin."""
    project = FreshProject(folder, installed={"django", "unfold", "css_inline", "inscriptis"})
    project.run("-m", "django", "startproject", "shop", ".")
    project.manage("startapp", "myapp")
    project.copy("notifier")
    project.add("shop/settings.py", SETTINGS)
    for name, text in {"models": MODELS, "signals": SIGNALS, "apps": APPS}.items():
        project.write(f"myapp/{name}.py", text)
    project.manage("makemigrations", "myapp")
    assert "OK" in project.manage("migrate")
    with project.admin() as browser:
        yield Walker(project, browser)
