"""The page of budgets: what each channel may cost a month, and how it stands.

``gates.budgets`` holds what is not paid for.
"""

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from ...channels import registry
from ...gates import budgets
from ...models import Budget
from .. import display
from ..forms import UNKNOWN_CHANNEL, channel_choices
from ..lookups import ModelAdmin
from . import problems


class BudgetForm(forms.ModelForm):
    channel = forms.ChoiceField(
        label=_("Channel"),
        choices=channel_choices,
        widget=UnfoldAdminSelectWidget,
        error_messages=UNKNOWN_CHANNEL,
    )

    class Meta:
        model = Budget
        fields = ["channel", "monthly_usd"]
        help_texts = {
            "monthly_usd": _(
                "For a calendar month, by about what each message costs. At 80 % the overview "
                "warns. When it is used up, what would go "
                "out is held, whatever its category, until the month is over or the budget is "
                "raised; nothing is lost."
            )
        }


@admin.register(Budget)
class BudgetAdmin(ModelAdmin):
    form = BudgetForm
    list_display = ["called", "monthly", "spent"]
    nothing_yet = _("No budgets yet. A channel without one sends whatever it costs.")
    Media = display.Media

    @admin.display(description=_("channel"), ordering="channel")
    def called(self, budget):
        return registry.label(budget.channel)

    @admin.display(description=_("a month"), ordering="monthly_usd")
    def monthly(self, budget):
        return problems.dollars(budget.micros)

    @admin.display(description=_("spent this month, about"))
    def spent(self, budget):
        standing = budgets.look(budget)
        words = f"{problems.dollars(standing.spent)} ({problems.percent(standing.share)})"
        if standing.is_used_up:
            return display.tinted("failed", _("%s, the rest is held") % words)
        return display.doubt(words) if standing.share >= budgets.NEARLY else words
