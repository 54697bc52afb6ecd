"""The form of a person's wishes, a row of ``Preferences``."""

from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from ..models import Preferences

CLOCK = {"type": "time"}


class WishesForm(forms.ModelForm):
    language = forms.ChoiceField(
        label=_("Language"), required=False, help_text=_("Where a message is written in it.")
    )

    class Meta:
        model = Preferences
        fields = ["quiet_from", "quiet_until", "time_zone", "digest", "language"]
        labels = {
            "quiet_from": _("From"),
            "quiet_until": _("Until"),
            "time_zone": _("Time zone"),
            "digest": _("How often"),
        }
        widgets = {
            "quiet_from": forms.TimeInput(attrs=CLOCK, format="%H:%M"),
            "quiet_until": forms.TimeInput(attrs=CLOCK, format="%H:%M"),
            "time_zone": forms.TextInput(
                attrs={"list": "time-zones", "autocomplete": "off", "spellcheck": "false"}
            ),
            "digest": forms.RadioSelect,
        }
        help_texts = {"time_zone": _("Type a part of its name, such as Berlin.")}

    def __init__(self, *args, **options):
        super().__init__(*args, use_required_attribute=False, **options)
        own = self.instance.language
        known = [("", _("As the site does it")), *settings.LANGUAGES]
        self.fields["language"].choices = known if own in dict(known) else [*known, (own, own)]

    def clean_time_zone(self):
        """The zone that was typed, as it is spelled: “europe/berlin” and “berlin” are Europe/Berlin, if
        nothing else is.
        """
        typed = self.cleaned_data["time_zone"].strip().replace(" ", "_").lower()
        names = available_timezones()
        ends = [name for name in names if name.lower().endswith(f"/{typed}")] if typed else []
        return next((name for name in names if name.lower() == typed), ends[0] if len(ends) == 1 else typed)


def time_zones():
    """Names of all time zones that are called after a place, sorted."""
    return sorted(
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))
    )
