"""Names in rules and templates that are there no more: a deployment has renamed or removed what they name.

What is saved is checked when it is saved; code changes without it. Said by ``manage.py check --database``,
after a migration, by `notify rules`, and by the admin's lists.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.db.models import Prefetch, QuerySet

from ..channels import registry
from ..exceptions import UnreadablePath
from ..models import Audience, Subscription, Template, TemplateContent, Trigger
from ..rules import audiences, offers, providers

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Gone:
    """One thing that a rule names and that is not there: which rule, and what in words."""

    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.text}"


def triggers_read() -> QuerySet[Trigger]:
    """All triggers with what the functions below read of them, in four queries."""
    contents = TemplateContent.objects.select_related("version")
    subscriptions = Subscription.objects.select_related("template").prefetch_related(
        Prefetch("template__contents", contents), "audiences"
    )
    return Trigger.objects.order_by("verb", "name").prefetch_related(Prefetch("subscriptions", subscriptions))


def find_all(triggers: Iterable[Trigger] | None = None) -> list[Gone]:
    """Everything in all rules, or in those of ``triggers``, each once."""
    found: list[Gone] = []
    for trigger in triggers_read() if triggers is None else triggers:
        found += in_trigger(trigger)
        for subscription in trigger.subscriptions.all():
            found += in_template(subscription.template)
            for audience in subscription.audiences.all():
                found += in_audience(audience)
    return list(dict.fromkeys(found))


def find_quietly() -> list[Gone]:
    """As ``find_all``; nothing where the tables are still to come."""
    try:
        with transaction.atomic():
            return find_all()
    except DatabaseError:
        return []


def follow_deployment(**_signal: object) -> None:
    """After a migration: an error in the log for each."""
    for gone in find_quietly():
        logger.error("After this deployment, a name is there no more. %s", gone)


def in_trigger(trigger: Trigger) -> Iterator[Gone]:
    """What a trigger, the templates that it sends and its audiences' paths name."""
    yield from (Gone(rule=f"Trigger “{trigger}”", text=text) for text in _texts(trigger.clean))
    for subscription in trigger.subscriptions.all():
        for channel in sorted(set(subscription.channels) - set(registry.channel_names())):
            yield Gone(rule=f"Trigger “{trigger}”", text=f"There is no channel “{channel}”.")
        yield from _in_contents(subscription.template, subscription.channels, trigger)
        for audience in subscription.audiences.all():
            yield from _in_paths(audience, trigger)


def _in_contents(template: Template, channels: list[str], trigger: Trigger) -> Iterator[Gone]:
    for content in template.contents.all():
        if content.version is None or content.channel not in channels:
            continue
        try:
            offers.check_paths(content.version.paths, trigger, template.providers)
        except UnreadablePath as error:
            rule = f"Template “{template}”, {content.channel}, sent by “{trigger}”"
            yield Gone(rule=rule, text=str(error))


def _in_paths(audience: Audience, trigger: Trigger) -> Iterator[Gone]:
    lines = filter(_is_sound(audiences.parse_path), audiences.lines_of(audience.paths))
    for text in Audience(paths="\n".join(lines)).problems_with(trigger):
        yield Gone(rule=f"Audience “{audience}” of “{trigger}”", text=text)


def in_audience(audience: Audience) -> Iterator[Gone]:
    """What an audience names whoever uses it: functions and channels."""
    rule, known = f"Audience “{audience}”", audiences.callable_names()
    for name in sorted(set(audience.callables) - set(known)):
        there = ", ".join(known) or "none"
        yield Gone(rule=rule, text=f"The function “{name}” is not registered. There are: {there}.")
    for field, parse in (("paths", audiences.parse_path), ("addresses", audiences.parse_address)):
        # The error would quote the line, which can be an address.
        if not all(map(_is_sound(parse), audiences.lines_of(getattr(audience, field)))):
            yield Gone(rule=rule, text=f"A line of its {field} cannot be used: its channel is not there.")


def in_template(template: Template) -> Iterator[Gone]:
    """The context providers that a template lists."""
    try:
        providers.check_names(template.providers)
    except ValueError as error:
        yield Gone(rule=f"Template “{template}”", text=str(error))


def with_template(template: Template) -> Iterator[Gone]:
    """What a template names, and what its texts read of the triggers that send it."""
    yield from in_template(template)
    for subscription in template.subscriptions.all():
        yield from _in_contents(template, subscription.channels, subscription.trigger)


def with_audience(audience: Audience) -> Iterator[Gone]:
    """What an audience names, and what its paths read of the triggers that use it."""
    yield from in_audience(audience)
    for subscription in audience.subscriptions.all():
        yield from _in_paths(audience, subscription.trigger)


def _texts(clean) -> list[str]:
    try:
        clean()
    except ValidationError as error:
        return list(error.messages)
    return []


def _is_sound(parse):
    def is_sound(line: str) -> bool:
        try:
            parse(line)
        except ValueError:
            return False
        return True

    return is_sound
