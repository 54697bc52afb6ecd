"""Rows for tests, by keyword; each has what a test does not care about."""

from itertools import count

from django.contrib.auth import get_user_model

from notifier.models import Audience, Subscription, Template, TemplateContent, Trigger

_numbers = count(1)


def make_user(**values):
    number = next(_numbers)
    values = {"username": f"user{number}", "email": f"user{number}@example.com", "first_name": f"First{number}"} | values
    return get_user_model().objects.create(**values)


def make_template(contents=None):
    """``contents``: channel → parts. By default a mail that names the instance and the person."""
    template = Template.objects.create(name=f"template-{next(_numbers)}")
    contents = contents or {"email": {"subject": "{{ instance }}", "text": "Hello {{ user.first_name }}"}}
    for channel, parts in contents.items():
        TemplateContent.objects.create(template=template, channel=channel, **parts)
    return template


def make_audience(*, users=(), groups=(), **sources):
    audience = Audience.objects.create(name=f"audience-{next(_numbers)}", **sources)
    audience.users.set(users)
    audience.groups.set(groups)
    return audience


def make_trigger(*, subscribe=True, contents=None, channels=("email",), audiences=None, **values):
    """A trigger with one subscription: by default, mail to all active users when a post is saved."""
    values = {"name": f"trigger {next(_numbers)}", "verb": "post_save", "model": "demo.post"} | values
    trigger = Trigger.objects.create(**values)
    if subscribe:
        make_subscription(trigger, contents=contents, channels=channels, audiences=audiences)
    return trigger


def make_subscription(trigger, *, contents=None, channels=("email",), audiences=None, **values):
    subscription = Subscription.objects.create(
        trigger=trigger, template=make_template(contents), channels=list(channels), **values
    )
    subscription.audiences.set(audiences if audiences is not None else [make_audience(everyone=True)])
    return subscription
