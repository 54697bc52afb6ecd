"""Fields of how much, when and in which order: minutes with a unit, channels in an order. Used by
``forms``.
"""

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
)

from ..rules import durations

UNITS = [("minutes", _("minutes")), ("hours", _("hours")), ("days", _("days"))]
# What a person thinks of first, where nothing is set.
USUAL_UNIT = "hours"


class SpanWidget(forms.MultiWidget):
    """A number and its unit, side by side."""

    template_name = "notifier/widgets/span.html"

    def __init__(self):
        number = UnfoldAdminIntegerFieldWidget(attrs={"min": 1})
        unit = UnfoldAdminSelectWidget(attrs={"aria-label": _("unit")}, choices=UNITS)
        super().__init__([number, unit])

    def decompress(self, value):
        return list(durations.split(value)) if value else [None, USUAL_UNIT]


class SpanField(forms.MultiValueField):
    """Minutes, or None."""

    widget = SpanWidget

    def __init__(self, **options):
        fields = [
            forms.IntegerField(min_value=1, required=False),
            forms.ChoiceField(choices=UNITS, required=False),
        ]
        super().__init__(fields, required=False, require_all_fields=False, **options)

    def compress(self, data):
        return durations.minutes_of(data[0], data[1] or USUAL_UNIT) if data and data[0] else None

    def has_changed(self, initial, data):
        # A unit without a number says nothing.
        number, unit = (
            self.widget.decompress(data) if isinstance(data, int) else [*(data or []), None, None][:2]
        )
        try:
            return (
                durations.minutes_of(int(number), unit or USUAL_UNIT) != initial
                if number
                else initial is not None
            )
        except (ValueError, KeyError):
            return True


def span_fields(model, *names):
    """A SpanField for each of these columns, with the column's own words."""
    columns = (model._meta.get_field(name) for name in names)
    return [SpanField(label=capfirst(column.verbose_name), help_text=column.help_text) for column in columns]


class OrderedCheckboxes(UnfoldAdminCheckboxSelectMultipleWidget):
    """The chosen ones first, in their order.

    A form sends what is checked in the order of the page, which its script can change.
    """

    def __init__(self, attrs=None):
        super().__init__(attrs)
        self.attrs["data-ordered"] = _("Move up")

    def optgroups(self, name, value, attrs=None):
        chosen, choices = list(value), list(self.choices)
        self.choices = sorted(
            choices, key=lambda choice: chosen.index(choice[0]) if choice[0] in chosen else len(chosen)
        )
        try:
            return super().optgroups(name, value, attrs)
        finally:
            self.choices = choices

    class Media:
        js = ["notifier/ordered.js"]
