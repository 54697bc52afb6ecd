"""Rows for tests, by keyword; each has what a test does not care about."""

import datetime as dt
from itertools import count

from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

from notifier.channels.recipient import Recipient
from notifier.models import (
    Audience,
    Delivery,
    Device,
    Event,
    RulesVersion,
    Subscription,
    Template,
    TemplateContent,
    Trigger,
)
from notifier.rules import plans
from tests.support.marks import MARK

_numbers = count(1)
# Each change of a rule makes this process read all of them; what is made together is read once.
_at_once = RulesVersion.touched_once


def make_user(**values):
    number = next(_numbers)
    values = {
        "username": f"user{number}",
        "email": f"{MARK}{number}@example.com".lower(),
        "first_name": f"{MARK}{number}",
    } | values
    return get_user_model().objects.create(**values)


@_at_once()
def make_template(contents=None):
    """``contents``: channel → parts. By default a mail that names the instance and the person."""
    template = Template.objects.create(name=f"template-{next(_numbers)}")
    contents = contents or {"email": {"subject": "{{ instance }}", "text": "Hello {{ user.first_name }}"}}
    for channel, parts in contents.items():
        TemplateContent.objects.create(template=template, channel=channel, **parts)
    return template


@_at_once()
def make_audience(*, users=(), groups=(), **sources):
    audience = Audience.objects.create(name=f"audience-{next(_numbers)}", **sources)
    audience.users.set(users)
    audience.groups.set(groups)
    return audience


@_at_once()
def make_trigger(*, subscribe=True, contents=None, channels=("email",), audiences=None, **values):
    """A trigger with one subscription: by default, mail to all active users when a post is saved."""
    values = {"name": f"trigger {next(_numbers)}", "verb": "post_save", "model": "demo.post"} | values
    trigger = Trigger.objects.create(**values)
    if subscribe:
        make_subscription(trigger, contents=contents, channels=channels, audiences=audiences)
    return trigger


@_at_once()
def make_subscription(trigger, *, contents=None, channels=("email",), audiences=None, **values):
    subscription = Subscription.objects.create(
        trigger=trigger, template=make_template(contents), channels=list(channels), **values
    )
    subscription.audiences.set(audiences if audiences is not None else [make_audience(everyone=True)])
    return subscription


# A good address on each channel; "{}" is a number of its own. A channel that is not here fails the contract
# test.
ADDRESSES = {
    "chat": "telegram:{}",
    "email": MARK.lower() + "{}@example.com",
    "sms": "+447400{:05}0",  # moto takes a number that ends in 99 for opted out
    "twitter": "@account{}",
    "push": "",
    "webhook": "https://hooks{}.example.com/in",
}


# Channels that reach nobody but users, by their keys.
OF_USERS = {"inbox"}


def make_address(*, channel):
    return str(make_user().pk) if channel in OF_USERS else ADDRESSES[channel].format(next(_numbers))


def make_device(*, user=None, **values):
    values = {"platform": "fcm", "token": f"token-{next(_numbers)}", "seen_at": timezone.now()} | values
    return Device.objects.create(user=user or make_user(), **values)


def _device_of_somebody():
    user = make_device().user
    return {"recipient": str(Recipient.of_user(user.pk)), "address": str(user.pk)}


# Channels that reach people only by what belongs to their account.
OF_PEOPLE = {"push": _device_of_somebody}


@_at_once()
def make_event(*, contents=None, data=None, recipients=(), audiences=None, **values):
    """An event as its trigger would have recorded it, for one subscription.

    ``contents``: channel → parts, by default a mail.
    """
    contents = contents or {"email": {"subject": "{{ title }}", "text": "{{ title }}"}}
    trigger = make_trigger(contents=contents, channels=list(contents), audiences=audiences)
    subscription = trigger.subscriptions.get()
    now = timezone.now()
    values = {
        "verb": "post_save",
        "data": {"title": f"{MARK} {next(_numbers)}"} if data is None else data,
        "plan": [
            {
                "subscription": subscription.pk,
                "contents": plans.contents_of(subscription.template.contents.all()),
                "recipients": list(recipients),
            }
        ],
        "created_at": now,
        "due_at": now + dt.timedelta(seconds=60),
    } | values
    return Event.objects.create(trigger=trigger, **values)


def make_delivery(*, channel="email", event=None, parts=None, data=None, **values):
    """A delivery to an address, fanned out and rung for.

    ``parts`` of its template; by default all say the event's title.
    """
    if event is None:
        contents = {channel: parts or {"subject": "{{ title }}", "text": "{{ title }}"}}
        event = make_event(contents=contents, data=data, status=Event.Status.DONE, due_at=None)
    address = make_address(channel=channel)
    now = timezone.now()
    defaults = {
        "subscription_id": event.plan[0]["subscription"],
        "version_id": plans.version_for(event.plan[0], channel, "")[0],
        "recipient": str(
            Recipient.of_user(address) if channel in OF_USERS else Recipient.of_address(address)
        ),
        "address": address,
        "created_at": now,
        "due_at": now + dt.timedelta(hours=1),
    }
    values = (
        defaults
        | (OF_PEOPLE[channel]() if channel in OF_PEOPLE and "recipient" not in values else {})
        | values
    )
    return Delivery.objects.create(event=event, channel=channel, **values)


def make_people(number):
    """That many active users with mail addresses, by one statement.

    Returns nothing: nobody wants them all in memory.
    """
    prefix = f"crowd{next(_numbers)}-"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO auth_user (username, email, first_name, last_name, password, "
            "is_superuser, is_staff, is_active, date_joined) "
            "WITH RECURSIVE people(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM people WHERE n < %s) "
            "SELECT %s || n, %s || n || '@example.com', 'First', '', '', %s, %s, %s, %s FROM people",
            [number, prefix, prefix, False, False, True, timezone.now()],
        )
