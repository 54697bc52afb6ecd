"""Form fields whose choices are what exists now, not what existed at import."""

from django import forms
from django.apps import apps
from django.utils.translation import gettext_lazy as _

from .. import audiences, channels, signals
from ..models import Audience, ContactPoint, Subscription, TemplateContent, Trigger


def verb_choices():
    return [("", "---------"), *((name, name) for name in signals.names())]


def model_choices():
    """Every model of the project, by its verbose name; the notifier's own are left out, as they change with every message."""
    models = [model for model in apps.get_models() if model._meta.app_label != "notifier"]
    labels = ((model._meta.label_lower, f"{model._meta.app_config.verbose_name} · {model._meta.verbose_name}") for model in models)
    return [("", "---------"), *sorted(labels, key=lambda choice: choice[1])]


def channel_choices():
    return [(name, name) for name in channels.channel_names()]


def callable_choices():
    return [(name, name) for name in audiences.callable_names()]


class TriggerForm(forms.ModelForm):
    verb = forms.ChoiceField(label=_("Signal"), choices=verb_choices, help_text=Trigger._meta.get_field("verb").help_text)
    model = forms.ChoiceField(
        label=_("Action object"), choices=model_choices, required=False, help_text=Trigger._meta.get_field("model").help_text
    )
    actor_model = forms.ChoiceField(
        label=_("Actor"), choices=model_choices, required=False, help_text=Trigger._meta.get_field("actor_model").help_text
    )

    class Meta:
        model = Trigger
        fields = "__all__"


class SubscriptionForm(forms.ModelForm):
    channels = forms.MultipleChoiceField(label=_("Channels"), choices=channel_choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = Subscription
        fields = "__all__"


class TemplateContentForm(forms.ModelForm):
    channel = forms.ChoiceField(label=_("Channel"), choices=channel_choices)

    class Meta:
        model = TemplateContent
        fields = "__all__"
        widgets = {
            "subject": forms.TextInput(attrs={"class": "vLargeTextField"}),
            "text": forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField", "spellcheck": "false"}),
            "html": forms.Textarea(attrs={"rows": 14, "class": "vLargeTextField", "spellcheck": "false"}),
        }


class AudienceForm(forms.ModelForm):
    callables = forms.MultipleChoiceField(
        label=_("Functions"), choices=callable_choices, widget=forms.CheckboxSelectMultiple, required=False
    )

    class Meta:
        model = Audience
        fields = "__all__"
        widgets = {"paths": forms.Textarea(attrs={"rows": 3}), "addresses": forms.Textarea(attrs={"rows": 3})}


class ContactPointForm(forms.ModelForm):
    channel = forms.ChoiceField(label=_("Channel"), choices=channel_choices)

    class Meta:
        model = ContactPoint
        fields = "__all__"
