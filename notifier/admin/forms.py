"""The forms of the rules, with choices that are live and errors at the field that they are about."""

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from ..explaining import firing_cost
from ..models import Audience, ContactPoint, Lane, Subscription, Trigger
from ..rules import inner_signals
from .choices import callable_choices, channel_choices, model_choices, verb_choices
from .flow_fields import OrderedCheckboxes, span_fields

CODE = {"class": "notifier-code", "spellcheck": "false"}
HAPPENS = _("What must happen.")
NOT_YOURS = _(
    "A rule about Django’s inner workings costs something all the time. You may switch it off; to have it on "
    "needs the permission for that."
)
WRONG_UNSEEN = _("Something that you may not see here is wrong. Ask somebody who may to mend it first.")
UNKNOWN_CHANNEL = {"invalid_choice": _("No such channel: %(value)s.")}


class SourceTextarea(UnfoldAdminTextareaWidget):
    """Keeps a first empty line: browsers drop one, so Django's template writes one more than unfold's."""

    template_name = "django/forms/widgets/textarea.html"


class TriggerForm(forms.ModelForm):
    delay_minutes, expires_minutes = span_fields(Trigger, "delay_minutes", "expires_minutes")
    verb = forms.ChoiceField(
        label=_("Signal"),
        choices=verb_choices,
        widget=UnfoldAdminSelectWidget,
        help_text=HAPPENS,
    )
    model = forms.ChoiceField(
        label=_("Action object"),
        choices=model_choices,
        widget=UnfoldAdminSelectWidget,
        required=False,
        help_text=_(
            "What it must happen to. Signals about an object need it; for others it narrows them down."
        ),
    )
    actor_model = forms.ChoiceField(
        label=_("Actor"),
        choices=model_choices,
        widget=UnfoldAdminSelectWidget,
        required=False,
        help_text=_("What kind of object did it, where the signal says so."),
    )

    lane = forms.TypedChoiceField(
        label=capfirst(Trigger._meta.get_field("lane").verbose_name),
        choices=lambda: [("", _("as its category has it")), *Lane.choices],
        coerce=int,
        empty_value=None,
        widget=UnfoldAdminSelectWidget,
        required=False,
        help_text=Trigger._meta.get_field("lane").help_text,
    )

    # The person who fills it in; the page says who that is.
    user = None

    class Meta:
        model = Trigger
        fields = "__all__"
        widgets = {
            "condition": UnfoldAdminTextareaWidget(
                attrs=CODE | {"rows": 2, "class": "notifier-code notifier-prose"}
            )
        }

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self._may_choose_inner = self.user is not None and self.user.has_perm(inner_signals.PERMISSION)
        if "verb" in self.fields:
            self.fields["verb"].choices = verb_choices(
                with_inner=self._may_choose_inner, chosen=self.instance.verb
            )
            if self._may_choose_inner:
                self.fields["verb"].help_text = f"{HAPPENS} {firing_cost.describe_all()}"

    def clean(self):
        cleaned = super().clean()
        is_inner = inner_signals.is_inner(cleaned.get("verb"))
        if is_inner and cleaned.get("enabled") and not self._may_choose_inner:
            self.add_error("verb", NOT_YOURS)
        return cleaned


class ChannelsField(forms.MultipleChoiceField):
    """The model says which channels there are, and that there must be one: twice would be once too often."""

    def valid_value(self, value):
        return True


class SubscriptionForm(forms.ModelForm):
    wait_minutes, throttle_minutes, cooldown_minutes, digest_minutes = span_fields(
        Subscription, "wait_minutes", "throttle_minutes", "cooldown_minutes", "digest_minutes"
    )
    channels = ChannelsField(
        label=_("Channels"),
        choices=channel_choices,
        widget=OrderedCheckboxes,
        required=False,
        help_text=_(
            "The template needs a content for each. Their order counts where only the first "
            "that succeeds is used."
        ),
    )

    class Meta:
        model = Subscription
        fields = "__all__"

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        # Left out, it is the model's default.
        self.fields["order"].required = False

    def clean(self):
        cleaned = super().clean()
        for audience in cleaned.get("audiences", ()):
            for problem in audience.problems_with(self.instance.trigger):
                self.add_error("audiences", f"{audience}: {problem}")
        return cleaned


class SubscriptionFormSet(forms.BaseInlineFormSet):
    def add_fields(self, form, index):
        super().add_fields(form, index)
        # A subscription is checked against the trigger as it was typed: one that is new, or that has just
        # been changed.
        form.instance.trigger = self.instance


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

    def _update_errors(self, errors):
        """Of what this person does not see, only that it is wrong: the error quotes the line."""
        found = errors.update_error_dict({})
        if hidden := found.keys() - self.fields.keys() - {NON_FIELD_ERRORS}:
            found = {name: texts for name, texts in found.items() if name not in hidden}
            found.setdefault(NON_FIELD_ERRORS, []).append(WRONG_UNSEEN)
        super()._update_errors(forms.ValidationError(found))


class ContactPointForm(forms.ModelForm):
    channel = forms.ChoiceField(
        label=_("Channel"),
        choices=channel_choices,
        widget=UnfoldAdminSelectWidget,
        error_messages=UNKNOWN_CHANNEL,
    )

    class Meta:
        model = ContactPoint
        fields = "__all__"
