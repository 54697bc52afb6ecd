"""The rows behind the set-up page: made from what was typed, checked by their own models, saved together."""

import re
from functools import cached_property

from django.contrib.admin.models import ADDITION, LogEntry
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _, gettext_lazy

from ...models import Audience, Subscription, Template, TemplateContent, Trigger
from . import page_choices, texts, words

# A body without any is plain text, in which line breaks count.
MARKUP = re.compile(r"</?[a-zA-Z!]")
FIELDS_OF_TRIGGER = {"verb": "when", "on": "when"}
MISSING = {
    "groups": gettext_lazy("Choose at least one group."),
    "users": gettext_lazy("Choose at least one person."),
    "paths": gettext_lazy("Write at least one name, or click on one above."),
    "addresses": gettext_lazy("Write at least one address."),
    "callables": gettext_lazy("Choose at least one."),
    "audience": gettext_lazy("Choose an audience."),
}


class Rows:
    """A trigger, and what it needs that is not there yet. Nothing is saved before ``save``."""

    def __init__(self, form):
        self._form, self._given = form, form.cleaned_data
        verb, _colon, on = self._given.get("when", "").partition(":")
        self.trigger = Trigger(
            verb=verb,
            on=on or Trigger.On.ANY,
            model=self._given.get("model", ""),
            condition=self._given.get("condition", ""),
            shadow=self._given.get("shadow", False),
            category=self._given.get("category"),
        )
        self.trigger.name = self._given.get("name", "") or texts.trigger_name(self.trigger)
        self.channels = self._given.get("channels", [])

    @cached_property
    def template(self):
        """The template that was chosen, or None for a new one."""
        return self._given.get("template") if self._given.get("what") == "choose" else None

    @cached_property
    def contents(self):
        """The contents of the new template."""
        return [self._content(channel, **_parts(self._form.texts(channel))) for channel in self.channels]

    def _content(self, channel, **parts):
        return TemplateContent(template=Template(), channel=channel, **parts)

    @cached_property
    def audience(self):
        """The audience that was chosen, one that already means everyone, or a new one that is not saved."""
        whom = self._given.get("whom")
        if whom == "audience":
            return self._given.get("audience")
        if whom == "everyone":
            return words.plain_everyone() or Audience(name=self._audience_name(_("Everyone")), everyone=True)
        sources = {name: self._given.get(name) or "" for name in ("paths", "addresses") if name == whom}
        functions = {"callables": self._given.get("callables", [])} if whom == "callables" else {}
        return Audience(name=self._audience_name(words.NAMES.get(whom, "")), **sources, **functions)

    def _audience_name(self, words):
        return texts.audience_name(f"{words}: {self.trigger.name}" if words != _("Everyone") else words)

    def people(self, name):
        """The groups or users that were chosen, if that is how the audience is given."""
        return list(self._given.get(name) or ()) if self._given.get("whom") == name else []

    # What is wrong

    def problems(self):
        """(field of the form, errors) of everything at once."""
        for field, errors in _problems(self.trigger.full_clean, FIELDS_OF_TRIGGER):
            is_missing = field == "model" and not self.trigger.model
            yield field, [_("Choose what it must happen to.")] if is_missing else errors
        yield from self._problems_with_what()
        yield from self._problems_with_whom()

    def _problems_with_what(self):
        subscription = Subscription(trigger=self.trigger, template=self.template, channels=self.channels)
        yield from _problems(subscription.clean, {})
        if self._given.get("what") == "choose":
            if self.template is None:
                yield "template", [_("Choose a template.")]
            return
        for content in self.contents:
            yield from self._problems_with_content(content)

    def _problems_with_content(self, content):
        """Part by part: a row's own check ends at the first."""
        parts = page_choices.parts_of(content.channel)
        main = f"{content.channel}_{'body' if 'body' in parts else 'text'}"
        names = {
            "subject": f"{content.channel}_subject",
            "text": main,
            "html": main,
            "link": f"{content.channel}_link",
        }
        if "subject" in parts and not content.subject:
            yield names["subject"], [_("Write a subject.")]
        for part in (
            self._content(content.channel, subject=content.subject, text="."),
            self._content(content.channel, text=".", link=content.link),
            self._content(content.channel, text=content.text, html=content.html),
        ):
            yield from _problems(lambda part=part: part.full_clean(exclude=["template"]), names)
            yield from _problems(lambda part=part: part.check_against(self.trigger), names)

    def _problems_with_whom(self):
        whom = self._given.get("whom")
        if whom in MISSING and not self._given.get(whom):
            yield whom, [MISSING[whom]]
        elif self.audience is not None:
            field = "audience" if whom == "audience" else "paths"
            if self.audience.pk is None:
                yield from _problems(lambda: self.audience.full_clean(exclude=["users", "groups"]), {})
            yield field, self.audience.problems_with(self.trigger)

    @cached_property
    def count(self):
        """The number of people that it reaches today, as far as that is known before it happens; see
        ``words.count_people``.
        """
        return words.count_people(self)

    # Saving

    @transaction.atomic
    def save(self, user):
        """Save what is new, all or nothing, and write each row into the admin's log. Returns the trigger."""
        new = [self.trigger]
        self.trigger.save()
        if self.template is None:
            self.template = Template.objects.create(name=texts.template_name(self.trigger.name))
            new.append(self.template)
            for content in self.contents:
                content.template = self.template
                content.save(author=user.get_username())
        if self.audience.pk is None:
            self.audience.save()
            self.audience.groups.set(self.people("groups"))
            self.audience.users.set(self.people("users"))
            new.append(self.audience)
        subscription = Subscription.objects.create(
            trigger=self.trigger, template=self.template, channels=self.channels
        )
        subscription.audiences.add(self.audience)
        for row in [*new, subscription]:
            LogEntry.objects.log_actions(
                user.pk, [row], ADDITION, str(_("Set up on one page.")), single_object=True
            )
        return self.trigger


def _parts(texts):
    """The columns of a content for what was typed: a body is HTML if it looks like it."""
    body = texts.get("body", texts.get("text", ""))
    is_html = "body" in texts and bool(MARKUP.search(body))
    return {
        "subject": texts.get("subject", ""),
        "html": body if is_html else "",
        "text": "" if is_html else body,
    } | {"link": texts.get("link", "")}


def _problems(check, names):
    """The errors that ``check`` raises, as (field, errors), with the form's names for the fields."""
    try:
        check()
    except ValidationError as error:
        for field, errors in (
            error.error_dict.items() if hasattr(error, "error_dict") else [("__all__", [error])]
        ):
            yield names.get(field, field), errors
