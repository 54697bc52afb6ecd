"""One form for when, what and who gets it; its rows' own ``clean`` decide what is wrong. Calls ``rows``."""

from django import forms
from django.contrib.auth import get_user_model
from django.utils.text import normalize_newlines
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from ...models import Audience, Category, Template, Trigger
from .. import choices
from ..lookups import KnownRows, SearchSelectMultiple
from . import page_choices, rows
from .permissions import may

CODE = {"class": "notifier-code notifier-prose", "spellcheck": "false"}
PART_LABELS = {"subject": _("Subject"), "body": _("Body"), "text": _("Text"), "link": _("Link")}
# What is written on one line.
SHORT_PARTS = ("subject", "link")
PART_HELP = {
    "link": _(
        "Where it leads: a path of this site such as /orders/5/, or an http or https address. "
        "May be left blank."
    ),
    "body": _("HTML, or plain text. Names in {{ braces }} are filled in for each person."),
}


class SetupForm(forms.Form):
    when = forms.ChoiceField(
        label=_("What happens?"),
        choices=page_choices.moments,
        widget=UnfoldAdminSelectWidget,
        initial="post_save:created",
    )
    model = forms.ChoiceField(
        label=_("To what?"),
        choices=choices.model_choices,
        widget=UnfoldAdminSelectWidget,
        required=False,
        help_text=_("The kind of thing that you want to tell people about."),
    )
    condition = forms.CharField(
        label=_("Only if"),
        widget=UnfoldAdminTextareaWidget(attrs=CODE | {"rows": 2}),
        required=False,
        help_text=_("Left blank, every one counts. Or a condition, such as: instance.total > 100"),
    )
    category = forms.ModelChoiceField(
        Category.objects,
        label=_("What is it about?"),
        widget=UnfoldAdminSelectWidget,
        required=False,
        empty_label=_("None of these: people can only opt out of everything"),
        help_text=_(
            "People choose by it what they get. What is mandatory, such as security and "
            "receipts, nobody can opt out of."
        ),
    )
    what = forms.ChoiceField(label=_("What does it say?"), widget=UnfoldAdminRadioSelectWidget)
    channels = forms.MultipleChoiceField(
        label=_("How is it sent?"),
        choices=page_choices.channels,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
    )
    template = forms.ModelChoiceField(
        Template.objects,
        label=_("Template"),
        widget=UnfoldAdminSelectWidget,
        required=False,
        empty_label=_("Choose a template"),
    )
    whom = forms.ChoiceField(label=_("Who gets it?"), widget=UnfoldAdminRadioSelectWidget)
    groups = KnownRows(
        None, label=_("Which groups?"), widget=UnfoldAdminCheckboxSelectMultipleWidget, required=False
    )
    users = KnownRows(
        None, label=_("Which people?"), required=False, help_text=_("Type a part of a name, and choose.")
    )
    paths = forms.CharField(
        label=_("Whom does it name?"),
        widget=UnfoldAdminTextareaWidget(attrs=CODE | {"rows": 2}),
        required=False,
        help_text=_(
            "One a line: a person or people, such as instance.owner, or an address, such as "
            "email: instance.contact_email"
        ),
    )
    addresses = forms.CharField(
        label=_("Which addresses?"),
        widget=UnfoldAdminTextareaWidget(attrs=CODE | {"rows": 2}),
        required=False,
    )
    callables = forms.MultipleChoiceField(
        label=_("Found by"),
        choices=choices.callable_choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
    )
    audience = forms.ModelChoiceField(
        Audience.objects,
        label=_("Audience"),
        widget=UnfoldAdminSelectWidget,
        required=False,
        empty_label=_("Choose an audience"),
    )
    name = forms.CharField(
        label=_("Its name"),
        widget=UnfoldAdminTextInputWidget,
        required=False,
        max_length=Trigger._meta.get_field("name").max_length,
        help_text=_("What you will find it by. Left blank, it is named after what it does."),
    )
    shadow = forms.BooleanField(
        label=_("Only try it for now"),
        widget=UnfoldBooleanSwitchWidget,
        required=False,
        help_text=_(
            "It records and shows what it would send, and sends nothing. You can let it send "
            "later, on its own page."
        ),
    )

    def __init__(self, *args, request, site, **options):
        super().__init__(*args, **options)
        quoted = ", ".join(f"“{line}”" for line in page_choices.examples())
        self.fields["addresses"].help_text = _("One a line, after how it is sent: %s") % quoted
        self._offer("what", page_choices.whats(request))
        self._offer("whom", page_choices.whoms(request, site))
        # Most of what people set up is not what everybody must get.
        self.fields["category"].initial = Category.objects.filter(mandatory=False).first()
        self.fields["channels"].initial = [name for name, _label in page_choices.channels()][:1]
        # The page writes out what was chosen: nobody is named to who may not look at them.
        may_search = page_choices.can_search_people(request, site)
        people = get_user_model()._default_manager
        self.fields["users"].queryset = people.all() if may_search else people.none()
        self.fields["groups"].queryset = page_choices.groups(request)
        for name in "template", "audience":
            if not may(request, f"view_{name}"):
                self.fields[name].queryset = self.fields[name].queryset.none()
        # It asks the admin while one types, and holds none but the chosen ones.
        widget = SearchSelectMultiple(Audience._meta.get_field("users"), site)
        widget.choices = self.fields["users"].choices
        self.fields["users"].widget = widget
        for channel, label in page_choices.channels():
            for part in page_choices.parts_of(channel):
                self.fields[f"{channel}_{part}"] = _part_field(part, label)
        self.rows = None

    def _offer(self, name, offered):
        self.fields[name].choices = offered
        self.fields[name].initial = offered[0][0] if offered else None

    def texts(self, channel):
        """Part → what is written for this channel, as a browser did not mangle it."""
        given = {
            part: self.cleaned_data.get(f"{channel}_{part}", "") for part in page_choices.parts_of(channel)
        }
        return {part: normalize_newlines(text) for part, text in given.items()}

    @property
    def written(self):
        """The channels' own fields, for the page: ``[(channel, label, [fields])]``."""
        return [
            (channel, label, [self[f"{channel}_{part}"] for part in page_choices.parts_of(channel)])
            for channel, label in page_choices.channels()
        ]

    def clean(self):
        cleaned = super().clean()
        self.rows = rows.Rows(self)
        for field, errors in self.rows.problems():
            # What is wrong with a field in itself has been said.
            if field not in self.errors:
                for error in errors:
                    self.add_error(field if field in self.fields else None, error)
        return cleaned


def _part_field(part, channel_label):
    attrs = {"rows": {"body": 9}.get(part, 3)} | CODE
    widget = (
        UnfoldAdminTextInputWidget(attrs={"spellcheck": "true"})
        if part in SHORT_PARTS
        else UnfoldAdminTextareaWidget(attrs=attrs)
    )
    return forms.CharField(
        label=PART_LABELS[part],
        widget=widget,
        required=False,
        strip=part in SHORT_PARTS,
        max_length=500 if part in SHORT_PARTS else None,
        help_text=PART_HELP.get(part, ""),
    )
