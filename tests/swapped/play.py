"""What happens in the project with the swapped user: ``python -m tests.swapped.play`` prints, as JSON, what
was sent and what was not.
"""

import json
import os

import django


def main():
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.swapped.settings"
    django.setup()
    from django.core.management import call_command

    from notifier.local.system import local_system

    call_command("check", verbosity=0)
    call_command("migrate", verbosity=0)
    play = {}
    with local_system() as (cloud, pump):
        members = make_members()
        make_rules(members)
        write_letters(members)
        pump.drain()
        play["sent"] = [
            (message.channel, message.recipient, message.subject, message.text.strip())
            for message in cloud.outbox()
        ]
    play["skipped"] = skipped(members)
    print(json.dumps(play))


def make_members():
    from notifier.models import ContactPoint
    from tests.swapped.models import Card, Member

    names = ["Ada", "Bo", "Chidi", "Dunya"]
    members = {
        name: Member.objects.create(
            login=name.lower(), given_name=name, mailbox=f"{name.lower()}@example.com"
        )
        for name in names
    }
    Member.objects.filter(login="chidi").update(mailbox="")
    ContactPoint.objects.create(user=members["Dunya"], channel="email", address="work@example.com")
    Card.objects.create(member=members["Ada"], mobile="+4915112345678")
    return members


def make_rules(members):
    from notifier import register_audience
    from tests.swapped.models import Member

    register_audience("a function", lambda event: Member.objects.filter(login="bo"))
    make_rule("everyone", channels=["email"], everyone=True)
    make_rule("preset", channels=["email", "sms"], users=[members["Ada"]], addresses="email: ada@example.com")
    make_rule("recipient", channels=["email"], paths="instance.recipient")
    make_rule("readers", channels=["email"], paths="instance.readers")
    make_rule("function", channels=["email"], callables=["a function"])
    make_rule(
        "one of them",
        channels=["email"],
        users=[members["Bo"]],
        trigger={"object_pk": "dba24ffd-1111-4000-8000-000000000001"},
    )
    signed_in = {
        "verb": "user_logged_in",
        "model": "people.member",
        "actor_model": "people.member",
        "actor_pk": members["Bo"].pk,
    }
    make_rule(
        "signed in",
        channels=["email"],
        paths="actor_object",
        trigger=signed_in,
        title="actor_object.given_name",
    )


def make_rule(name, *, channels, users=(), trigger=None, title="instance.title", **sources):
    from notifier.models import Audience, Subscription, Template, TemplateContent, Trigger

    template = Template.objects.create(name=name.replace(" ", "-"))
    text = f"{{{{ {title} }}}} for {{{{ user.given_name }}}}, {{{{ user }}}}"
    for channel in channels:
        subject = name if channel == "email" else ""
        TemplateContent.objects.create(template=template, channel=channel, subject=subject, text=text)
    values = {"verb": "post_save", "model": "people.letter", "on": "created"} | (trigger or {})
    subscription = Subscription.objects.create(
        trigger=Trigger.objects.create(name=name, **values), template=template, channels=channels
    )
    audience = Audience.objects.create(name=name, **sources)
    audience.users.set(users)
    subscription.audiences.add(audience)
    for row in subscription.trigger, subscription, audience:
        row.full_clean()


def write_letters(members):
    """Write one to Ada, and let two members sign in."""
    from django.test import Client

    from tests.swapped.models import Letter

    letter = Letter(pk="dba24ffd-1111-4000-8000-000000000001", title="Linen", recipient=members["Ada"])
    letter.save()
    letter.readers.set([members["Bo"], members["Chidi"]])
    for member in members["Bo"], members["Dunya"]:
        Client(headers={"host": "localhost"}).force_login(member)


def skipped(members):
    from notifier.models import Delivery

    names = {f"user:{member.pk}": name for name, member in members.items()}
    found = Delivery.objects.exclude(status=Delivery.Status.SENT).order_by("pk")
    return [(each.channel, names.get(each.recipient), each.status, each.reason) for each in found]


if __name__ == "__main__":
    main()
