"""“Why?”: the reason why somebody did, or did not, get something, as a page with an address. Calls
``explaining``.
"""

import datetime as dt

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import JsonResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _, ngettext
from django.views.decorators.http import require_safe
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from ...channels.storable import storable
from ...exceptions import UnknownPerson, UnknownSubject
from ...explaining import MOST_EVENTS, Outcome, explain, explain_period, find_person, find_subject
from ...models import Event, Preferences
from ...people import opt_outs
from ...preferences.words import describe_choice, describe_origin, describe_wishes
from ...templating import keys
from ...templating.times import read_moment
from ..choices import channel_choices

NEEDED = ("notifier.view_event", "notifier.view_delivery", "notifier.view_recipients")
# Where somebody asks about a person alone.
RECENTLY = dt.timedelta(days=7)
MOST_SUGGESTED = 10
TONES = {
    Outcome.GOT: "good",
    Outcome.WOULD: "good",
    Outcome.WAITS: "busy",
    Outcome.MIGHT: "doubt",
    Outcome.DOUBT: "doubt",
    Outcome.NOT: "bad",
    Outcome.OFF_RECORD: "doubt",
    Outcome.WOULD_NOT: "bad",
}


class Question(forms.Form):
    """A person, and a subject: an event or an object, or else a time."""

    person = forms.CharField(
        label=_("Person"),
        help_text=_("A user name, a name’s beginning to choose from, or an address."),
        widget=UnfoldAdminTextInputWidget(
            {"list": "notifier-people", "autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
        ),
    )
    subject = forms.CharField(
        label=_("Event or object"),
        required=False,
        help_text=_(
            "An event’s number, or an object as in demo.flashsale:1. Left blank, it is about a time."
        ),
        widget=UnfoldAdminTextInputWidget(
            {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
        ),
    )
    channel = forms.ChoiceField(
        label=_("Channel"),
        required=False,
        choices=lambda: [("", _("any"))] + channel_choices(),
        widget=UnfoldAdminSelectWidget,
    )
    since = forms.CharField(
        label=_("From"), required=False, widget=UnfoldAdminTextInputWidget({"type": "date"})
    )
    until = forms.CharField(
        label=_("To"), required=False, widget=UnfoldAdminTextInputWidget({"type": "date"})
    )

    class Media:
        css = {"all": ["notifier/admin.css", "notifier/timeline.css"]}
        js = ["notifier/why.js"]

    def clean_person(self):
        return self._found(find_person, "person", UnknownPerson)

    def clean_subject(self):
        return self._found(find_subject, "subject", UnknownSubject) if self.cleaned_data["subject"] else None

    def _found(self, find, name, error):
        try:
            return find(self.cleaned_data[name])
        except error as problem:
            raise forms.ValidationError(str(problem)) from problem

    def clean_since(self):
        return self._moment("since")

    def clean_until(self):
        return self._moment("until", end=True)

    def _moment(self, name, **options):
        try:
            return read_moment(self.cleaned_data[name], **options)
        except ValueError as problem:
            raise forms.ValidationError(str(problem)) from problem


def urls(site):
    """The page's addresses, for the ModelAdmin that they stand with."""

    def guarded(view):
        def look(request):
            if not request.user.has_perms(NEEDED):
                raise PermissionDenied
            return view(request, site)

        return site.admin_view(look)

    return [
        path("why/", guarded(why_view), name="notifier_why"),
        path("why/people/", guarded(people_view), name="notifier_why_people"),
    ]


@require_safe
def why_view(request, site):
    asked = {name: request.GET[name] for name in Question.base_fields if name in request.GET}
    form = Question(asked or None)
    if asked and not asked.get("person"):
        # Somebody came from an event's page and has yet to name the person.
        form = Question(initial=asked)
    found = answered(form.cleaned_data) if form.is_bound and form.is_valid() else {}
    context = {**site.each_context(request), "title": _("Why?"), "form": form, "media": form.media, **found}
    return TemplateResponse(request, "admin/notifier/why/why.html", context)


def answered(asked):
    """The answers as the template shows them."""
    person, subject, channel = asked["person"], asked["subject"], asked["channel"]
    return _explained(person, subject, channel, asked) | {"chosen": chosen_by(person)}


def chosen_by(person):
    """The choices of a person, as texts: opt-outs with since when and how, then quiet hours, language and the
    rest.
    """
    said = [f"{describe_choice(row)} {describe_origin(row)}" for row in opt_outs.rows_of(person.key).values()]
    wish = Preferences.objects.filter(user=person.user.pk).first() if person.user else None
    return said + (describe_wishes(wish) if wish else [])


def _explained(person, subject, channel, asked):
    if subject is not None:
        answers = [shown(answer) for answer in explain(person, subject, channel)]
        found = {
            "answers": answers,
            "subject": subject,
            "subject_link": link_to(subject.__class__, subject.pk),
            "nothing": not answers,
        }
        if not isinstance(subject, Event):
            label = keys.object_text(subject)
            found["past"] = f"{reverse('admin:notifier_event_changelist')}?{urlencode({'q': label})}"
        return found
    end = asked["until"] or now()
    start = asked["since"] or end - RECENTLY
    events, more = explain_period(person, start, end, channel)
    text = ngettext("%d event in this time.", "%d events in this time.", len(events)) % len(events)
    return {
        "period": [
            {"event": event, "link": link_to(Event, event.pk), "answers": [shown(each) for each in found]}
            for event, found in events
        ],
        "start": start,
        "end": end,
        "count": _("The newest %d; ask for a shorter time to see older ones.") % MOST_EVENTS
        if more
        else text,
    }


def shown(answer):
    return {
        "sentence": answer.sentence,
        "tone": TONES[answer.outcome],
        "channel": answer.channel,
        "trigger": answer.trigger,
        "steps": [
            {"step": step, "link": link_to(*step.about) if step.about else None}
            for step in answer.steps
            if step.state != "open"
        ],
        "open": [step.title for step in answer.steps if step.state == "open"],
    }


def link_to(model, key):
    """``{"url", "text"}`` of an object's page; None where the admin has none."""
    try:
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[key])
    except NoReverseMatch:
        return None
    return {"url": url, "text": capfirst(model._meta.verbose_name)}


@require_safe
def people_view(request, site):
    """Users to choose from, as ``{"people": [{"value", "text"}]}``: by whatever the project lets users be
    searched for.
    """
    users, term = get_user_model(), storable(request.GET.get("q", "")).strip()
    found = users._default_manager.none()
    if term and (admin := site._registry.get(users)):
        found, _doubles = admin.get_search_results(
            request, users._default_manager.order_by(users.USERNAME_FIELD), term
        )
    people = [
        {"value": user.get_username(), "text": user.get_full_name()}
        for user in found.distinct()[:MOST_SUGGESTED]
    ]
    return JsonResponse({"people": people})
