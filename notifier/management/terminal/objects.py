"""Finds what a word of a command line means: an object, a user, a template's content.

Raises CommandError with what to write.
"""

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from ...channels.storable import storable
from ...exceptions import UnknownSubject
from ...explaining import subjects
from ...models import Event, Template
from ...templating import languages

USAGE = 2  # the exit code for words that mean nothing


def find_object(text):
    """The object that ``app_label.model:key`` names."""
    try:
        return subjects.find_object(text)
    except UnknownSubject as error:
        raise CommandError(str(error), returncode=USAGE) from None


def find_user(text):
    """The user of that name."""
    model, text = get_user_model(), storable(text)
    user = model._default_manager.filter(**{model.USERNAME_FIELD: text}).first()
    if user is None:
        raise CommandError(f"There is no user “{text}”. Write a {model.USERNAME_FIELD}.", returncode=USAGE)
    return user


def find_event(number):
    event = Event.objects.filter(pk=number).first()
    if event is None:
        raise CommandError(f"There is no event {number}.", returncode=USAGE)
    return event


def find_content(name, channel, language=""):
    """The content that a person of ``language`` would get of the template ``name`` on ``channel``."""
    name, channel = storable(name), storable(channel)
    template = Template.objects.filter(name=name).first()
    if template is None:
        known = ", ".join(Template.objects.values_list("name", flat=True)) or "none"
        raise CommandError(f"There is no template “{name}”. There are: {known}.", returncode=USAGE)
    contents = {each.language: each for each in template.contents.filter(channel=channel)}
    if not contents:
        known = (
            ", ".join(template.contents.order_by("channel").values_list("channel", flat=True).distinct())
            or "none"
        )
        raise CommandError(
            f"“{name}” has no content for the channel “{channel}”. It has: {known}.", returncode=USAGE
        )
    return contents[languages.choose(contents, language)]
