"""The forms of the rules, with choices that are live and errors at the field that they are about."""

from django import forms
from django.utils.text import normalize_newlines
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from ..models import Audience, ContactPoint, Subscription, TemplateContent, Trigger
from .choices import callable_choices, channel_choices, model_choices, verb_choices

CODE = {"class": "notifier-code", "spellcheck": "false"}
UNKNOWN_CHANNEL = {"invalid_choice": _("No such channel: %(value)s.")}


class SourceTextarea(UnfoldAdminTextareaWidget):
    """Keeps a first empty line: browsers drop one, so Django's template writes one more than unfold's."""

    template_name = "django/forms/widgets/textarea.html"


class TriggerForm(forms.ModelForm):
    verb = forms.ChoiceField(
        label=_("Signal"), choices=verb_choices, widget=UnfoldAdminSelectWidget, help_text=_("What must happen.")
    )
    model = forms.ChoiceField(
        label=_("Action object"),
        choices=model_choices,
        widget=UnfoldAdminSelectWidget,
        required=False,
        help_text=_("What it must happen to. Signals about an object need it; for others it narrows them down."),
    )
    actor_model = forms.ChoiceField(
        label=_("Actor"),
        choices=model_choices,
        widget=UnfoldAdminSelectWidget,
        required=False,
        help_text=_("What kind of object did it, where the signal says so."),
    )

    class Meta:
        model = Trigger
        fields = "__all__"
        widgets = {"condition": UnfoldAdminTextareaWidget(attrs=CODE | {"rows": 2, "class": "notifier-code notifier-prose"})}


class ChannelsField(forms.MultipleChoiceField):
    """The model says which channels there are, and that there must be one: twice would be once too often."""

    def valid_value(self, value):
        return True


class SubscriptionForm(forms.ModelForm):
    channels = ChannelsField(
        label=_("Channels"),
        choices=channel_choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
        help_text=_("The template needs a content for each."),
    )

    class Meta:
        model = Subscription
        fields = "__all__"

    def clean(self):
        cleaned = super().clean()
        for audience in cleaned.get("audiences", ()):
            for problem in audience.problems_with(self.instance.trigger):
                self.add_error("audiences", f"{audience}: {problem}")
        return cleaned


class SubscriptionFormSet(forms.BaseInlineFormSet):
    def add_fields(self, form, index):
        super().add_fields(form, index)
        # A subscription is checked against the trigger as it was typed: one that is new, or that has just been changed.
        form.instance.trigger = self.instance


class TemplateContentForm(forms.ModelForm):
    channel = forms.ChoiceField(
        label=_("Channel"), choices=channel_choices, widget=UnfoldAdminSelectWidget, error_messages=UNKNOWN_CHANNEL
    )

    class Meta:
        model = TemplateContent
        fields = "__all__"
        widgets = {
            "subject": UnfoldAdminTextInputWidget(attrs={"spellcheck": "false"}),
            "text": SourceTextarea(attrs=CODE | {"rows": 5, "class": "notifier-code notifier-prose"}),
            "html": SourceTextarea(attrs=CODE),
        }
        help_texts = {
            "subject": _("For channels that have one, such as e-mail."),
            "text": _("Left blank, it is made from the HTML."),
            "html": _("For channels that show it, such as e-mail."),
        }

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["html"].widget.attrs["rows"] = 16 if self.instance.html else 4
        for part in ("text", "html"):
            self.fields[part].strip = False

    # Browsers end lines with CR LF, which an SMS would pay for and each save would take for a change.

    def clean_text(self):
        return normalize_newlines(self.cleaned_data["text"])

    def clean_html(self):
        return normalize_newlines(self.cleaned_data["html"])


class TemplateContentFormSet(forms.BaseInlineFormSet):
    def clean(self):
        kept = [form for form in self.forms if form.cleaned_data.get("channel") and not form.cleaned_data.get("DELETE")]
        self._refuse_doubles(kept)
        if not any(self.errors):
            self._refuse_gaps({form.cleaned_data["channel"] for form in kept})
            super().clean()

    def _refuse_doubles(self, forms_kept):
        taken = set()
        for form in forms_kept:
            channel = form.cleaned_data["channel"]
            if channel in taken:
                form.add_error("channel", _("There is another content for %s. A channel has one.") % channel)
            taken.add(channel)

    def _refuse_gaps(self, channels):
        """A subscription must not lose the content that it sends."""
        if self.instance.pk is None:
            return
        for subscription in self.instance.subscriptions.select_related("trigger"):
            if missing := sorted(set(subscription.channels) - channels):
                text = _(
                    "The trigger “%s” sends this template by %s. Keep a content for it, or take the channel off the trigger."
                )
                raise forms.ValidationError(text % (subscription.trigger, ", ".join(missing)))


class AudienceForm(forms.ModelForm):
    callables = forms.MultipleChoiceField(
        label=_("Functions"),
        choices=callable_choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
        help_text=_("What this project’s programmers have registered."),
    )

    class Meta:
        model = Audience
        fields = "__all__"
        widgets = {
            "paths": UnfoldAdminTextareaWidget(attrs=CODE | {"rows": 3}),
            "addresses": UnfoldAdminTextareaWidget(attrs=CODE | {"rows": 3}),
        }


class ContactPointForm(forms.ModelForm):
    channel = forms.ChoiceField(
        label=_("Channel"), choices=channel_choices, widget=UnfoldAdminSelectWidget, error_messages=UNKNOWN_CHANNEL
    )

    class Meta:
        model = ContactPoint
        fields = "__all__"
