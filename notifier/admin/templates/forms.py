"""The forms of a template's contents: choices that are live, errors at their part, warnings beside them.

Calls ``explaining.preview``.
"""

from django import forms
from django.conf import settings
from django.db import transaction
from django.utils.functional import cached_property
from django.utils.text import normalize_newlines
from django.utils.translation import gettext, gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from ...exceptions import TemplateRefused
from ...explaining import preview
from ...models import Template, TemplateContent
from ...rules import providers
from ..choices import channel_choices
from ..forms import CODE, UNKNOWN_CHANNEL, SourceTextarea

ANY_LANGUAGE = ("", _("Any language"))


def language_choices():
    return [
        ANY_LANGUAGE,
        *sorted(((code, gettext(name)) for code, name in settings.LANGUAGES), key=lambda choice: choice[1]),
    ]


class LanguageField(forms.ChoiceField):
    """One of the site's languages, or one that a content already has and the site has dropped."""

    def valid_value(self, value):
        return super().valid_value(value) or value == self.kept

    kept = ""


class TemplateContentForm(forms.ModelForm):
    channel = forms.ChoiceField(
        label=_("Channel"),
        choices=channel_choices,
        error_messages=UNKNOWN_CHANNEL,
        widget=UnfoldAdminSelectWidget,
    )
    language = LanguageField(
        label=_("Language"),
        choices=language_choices,
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("For people who read it. All others get “Any language”."),
    )

    class Meta:
        model = TemplateContent
        fields = "__all__"
        widgets = {
            "subject": UnfoldAdminTextInputWidget(attrs={"spellcheck": "false"}),
            "text": SourceTextarea(attrs=CODE | {"rows": 6, "class": "notifier-code notifier-prose"}),
            "html": SourceTextarea(attrs=CODE),
            "link": UnfoldAdminTextInputWidget(
                attrs={"spellcheck": "false", "placeholder": "/orders/{{ instance.pk }}/"}
            ),
            "icon": UnfoldAdminTextInputWidget(attrs={"spellcheck": "false"}),
        }
        help_texts = {
            "subject": _("For channels that have one, such as e-mail; in the inbox it is the title."),
            "text": _("Left blank, it is made from the HTML."),
            "html": _("For channels that show it, such as e-mail."),
            "file": _(
                "For developers, and usually left blank: a template file of the project, such "
                "as shop/sale.html, in place of HTML and text."
            ),
        }

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["html"].widget.attrs["rows"] = 16 if self.instance.html else 4
        for part in ("text", "html"):
            self.fields[part].strip = False
        language = self.fields["language"]
        if (kept := self.instance.language) and not language.valid_value(kept):
            language.kept, language.choices = kept, [*language_choices(), (kept, kept)]

    # Browsers end lines with CR LF, which an SMS would pay for and each save would take for a change.

    def clean_text(self):
        return normalize_newlines(self.cleaned_data["text"])

    def clean_html(self):
        return normalize_newlines(self.cleaned_data["html"])

    def _post_clean(self):
        super()._post_clean()
        if "channel" in self.errors or self.cleaned_data.get("DELETE"):
            return
        errors, _warnings = preview.lint(self.instance)
        # The preview says of names whose trigger it is that has none such.
        for part in {problem.part for problem in errors}.intersection(self.errors):
            del self.errors[part]
        for problem in errors:
            self.add_error(problem.part, problem.text)

    @cached_property
    def warnings(self):
        """Part → texts, of what is saved: what does not stop the save, but should be known."""
        if self.is_bound or not self.instance.pk:
            return {}
        errors, warnings = preview.lint(self.instance)
        found = {}
        for problem in [*errors, *warnings]:
            found.setdefault(problem.part, []).append(problem.text)
        return found


class TemplateContentFormSet(forms.BaseInlineFormSet):
    def clean(self):
        kept = [
            form
            for form in self.forms
            if form.cleaned_data.get("channel") and not form.cleaned_data.get("DELETE")
        ]
        self._refuse_doubles(kept)
        if not any(self.errors):
            self._refuse_gaps({form.cleaned_data["channel"] for form in kept})
            self._refuse_missing_layouts()
            super().clean()

    def _refuse_doubles(self, forms_kept):
        taken = set()
        for form in forms_kept:
            channel, language = form.cleaned_data["channel"], form.cleaned_data.get("language", "")
            if (channel, language) in taken:
                text = _(
                    "There is another content for %(channel)s in this language. Choose another "
                    "language, or delete one."
                )
                form.add_error("channel", text % {"channel": channel})
            taken.add((channel, language))

    def _refuse_gaps(self, channels):
        """A subscription must not lose the content that it sends."""
        if self.instance.pk is None:
            return
        for subscription in self.instance.subscriptions.select_related("trigger"):
            if missing := sorted(set(subscription.channels) - channels):
                text = _(
                    "The trigger “%s” sends this template by %s. Keep a content for it, or "
                    "take the channel off the trigger."
                )
                raise forms.ValidationError(text % (subscription.trigger, ", ".join(missing)))

    def _refuse_missing_layouts(self):
        """Refuse to delete what another template extends. Tried, and undone."""
        for form in self.deleted_forms:
            try:
                with transaction.atomic():
                    # None: it was not saved yet, or somebody else has deleted it.
                    if found := TemplateContent.objects.filter(pk=form.instance.pk).first():
                        found.delete()
                    transaction.set_rollback(True)
            except TemplateRefused as error:
                raise forms.ValidationError(str(error)) from error


def _offer(name, given):
    """“weather: {{ forecast }}, {{ wind }}”."""
    return f"{name}: {', '.join(f'{{{{ {each} }}}}' for each in given)}"


class TemplateForm(forms.ModelForm):
    providers = forms.MultipleChoiceField(
        label=_("More names"),
        choices=lambda: [
            (name, _offer(name, given)) for name, given in providers.provided_by(providers.names()).items()
        ],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
        help_text=_(
            "Context providers: what this project can look up when it happens. Tick one, save, "
            "and write its names."
        ),
    )

    class Meta:
        model = Template
        fields = "__all__"
