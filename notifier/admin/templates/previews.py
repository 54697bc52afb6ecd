"""The editor's live preview, and “Send to me”: both take what is typed, and neither saves it.

Calls ``explaining.preview``.
"""

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import JsonResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.text import capfirst, normalize_newlines
from django.utils.timezone import localtime
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_POST

from ...channels import registry
from ...exceptions import TemplateRefused
from ...explaining import preview
from ...models import Delivery, Event, Template, TemplateContent
from ...templating import readable
from ...templating.layouts import Book
from .. import masking

# A frame of its own, without scripts, forms, or anything of this site's: what a mail shows, and nothing that
# it does. Pictures come from elsewhere, and who fetches one is seen there, so they are shown only when asked
# for. Links lead nowhere.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:{images}; font-src data:; "
    "form-action 'none'; base-uri 'none'"
)
FRAME = (
    '<!doctype html><meta http-equiv="Content-Security-Policy" content="{policy}"><base '
    'target="_blank">{html}'
)

# Of the made-up person, by how a channel's messages look; the number is nobody's:
# https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/numbers-for-drama
# What channels of a look show, where they do not say so themselves.
SHOWN = {"mail": ("subject", "text", "html"), "phone": ("text",), "post": ("text",)}
MADE_UP_ADDRESSES = {"mail": "ada@example.com", "phone": "+44 7700 900123"}


def _unseen(name):
    raise TemplateRefused(
        _("“%s” would be shown here, and you may not view templates. Write it without extends.") % name
    )


UNSEEN = Book("", read=_unseen)


class PreviewMixin:
    """The two views, for the ModelAdmin of templates."""

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("preview/", wrap(self.preview_view), name="notifier_template_preview"),
            path("send-to-me/", wrap(self.send_view), name="notifier_template_send"),
            *super().get_urls(),
        ]

    def preview_context(self, request, template):
        """The subjects that the page offers to preview with."""
        events = preview.recent_events(template.pk) if template and _may_see_events(request) else []
        return {
            "preview_events": [(event.pk, _describe(event)) for event in events],
            "may_send": self._may_send(request),
        }

    def _may_send(self, request):
        return self.has_change_permission(request) or self.has_add_permission(request)

    @method_decorator(require_POST)
    def preview_view(self, request):
        content = self._content_of(request)
        found = preview.preview(content, event=_event_of(request, content), person=_person_of(request))
        return JsonResponse(_as_json(request, content, found))

    @method_decorator(require_POST)
    def send_view(self, request):
        """Send what is typed to the person who asks. It answers a sentence, and where to see what comes of
        it.
        """
        if not self._may_send(request):
            raise PermissionDenied
        content = self._content_of(request)
        found = preview.preview(content, event=_event_of(request, content), person=request.user)
        address = preview.own_address(request.user, content.channel)
        if refusal := _refusal(content, found, address):
            return JsonResponse({"sent": False, "text": refusal})
        delivery = preview.send_to(request.user, content, found, address)
        logged = content.template if content.template_id else delivery
        text = _("Sent to themselves as a test: %s, delivery %d.") % (content.channel, delivery.pk)
        LogEntry.objects.log_actions(request.user.pk, [logged], CHANGE, text, single_object=True)
        url = (
            reverse("admin:notifier_delivery_change", args=[delivery.pk])
            if _may_see(request, Delivery)
            else ""
        )
        # Where the address is a key, it is the person's own, and says nothing.
        whereto = _("you") if address == str(request.user.pk) else address
        return JsonResponse({"sent": True, "text": _("On its way to %s.") % whereto, "url": url})

    def _content_of(self, request):
        """The content in the request: as it is typed by who may save it so, as it is saved for who may only
        view it. What this person may not view is as if it were not there.
        """
        template = Template.objects.filter(pk=_key(request, "template")).first()
        if template and not self.has_view_permission(request, template):
            template = None
        saved = template and template.contents.filter(pk=_key(request, "content")).first()
        may_save = self.has_change_permission(request, template)
        if not template and self.has_add_permission(request):
            may_save = True
        if may_save and ("text" in request.POST or not saved):
            return self._typed(request, template)
        if not saved:
            raise PermissionDenied
        return saved

    def _typed(self, request, template):
        channel = request.POST.get("channel", "")
        typed = {
            name: normalize_newlines(request.POST.get(name, ""))
            for name in ("language", "file", *preview.PARTS)
        }
        typed["channel"] = channel if channel in registry.channel_names() else ""
        content = TemplateContent(template=template, **typed) if template else TemplateContent(**typed)
        if not self.has_view_permission(request):
            content.own_book = UNSEEN
        return content


def _refusal(content, found, address):
    """The reason why it cannot be sent to its editor, as a sentence; blank if it can."""
    if found.errors:
        return _("Mend the error first: %s") % found.errors[0].text
    if found.examination.is_public:
        return _("What goes out here is public: it cannot be sent to you alone.")
    if not address:
        return (
            _("You have no address on %s. Enter one under “Contact points”, or in your user’s own page.")
            % content.channel
        )
    refused = [problem.text for problem in found.examination.problems if problem.is_error]
    return refused[0] if refused else ""


def _event_of(request, content):
    """The event that was chosen, if it is one of this template's and may be seen."""
    key = _key(request, "event")
    if key is None or not _may_see_events(request):
        return None
    return Event.objects.filter(pk=key, trigger__in=preview.triggers_of(content.template_id)).first()


def _person_of(request):
    return None if request.POST.get("person") == "sample" else request.user


def _key(request, name):
    value = request.POST.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 19 else None


def _may_see(request, model):
    return request.user.has_perm(f"notifier.view_{model._meta.model_name}")


def _may_see_events(request):
    # An event holds what its templates read, names and addresses of customers too: its own page hides that
    # from the others.
    return _may_see(request, Event) and masking.may_see_recipients(request)


def _describe(event):
    """“21 Nov, 18:30 · Flash sale 1”."""
    label, _colon, pk = event.action_object.partition(":")
    model = readable.find_model(label)
    about = f"{capfirst(model._meta.verbose_name)} {pk}".strip() if model else event.verb
    return f"{date_format(localtime(event.created_at), 'j M, H:i')} · {about}"


def _as_json(request, content, found):
    """The Preview as the page's script shows it. All texts are plain, and the one HTML is for its frame."""
    person, examined = _person_of(request), found.examination
    policy = POLICY.format(images=" https: http:" if request.POST.get("images") else "")
    address = preview.own_address(request.user, content.channel) if person and content.channel else ""
    return {
        "errors": [
            {"part": each.part, "text": each.text, "line": getattr(each, "line", None)}
            for each in found.errors
        ],
        "warnings": [
            {"part": each.part, "text": each.text, "grave": each.is_error} for each in examined.problems
        ],
        "look": examined.look,
        "parts": examined.parts or SHOWN.get(examined.look, preview.PARTS),
        "public": examined.is_public,
        "sender": settings.DEFAULT_FROM_EMAIL,
        "recipient": address if person else MADE_UP_ADDRESSES.get(examined.look, ""),
        "subject": found.parts["subject"],
        "text": found.parts["text"],
        "link": found.parts["link"],
        "icon": found.parts["icon"],
        "frame": FRAME.format(policy=policy, html=found.parts["html"]) if found.parts["html"].strip() else "",
        "pieces": list(examined.pieces),
        "length": examined.length,
        "limit": examined.limit,
        "count": _count(examined),
        "cost": _cost(examined),
        "note": _note(found),
    }


def _count(examined):
    if not examined.limit:
        return ""
    counted = _("%(length)s of %(limit)s %(unit)s") % {
        "length": f"{examined.length:,}",
        "limit": f"{examined.limit:,}",
        "unit": examined.unit,
    }
    pieces = len(examined.pieces)
    return f"{counted}, {ngettext('%d part', '%d parts', pieces) % pieces}" if pieces else counted


def _cost(examined):
    if not examined.cost_micros:
        return ""
    if examined.is_public:
        return _("about $%s") % f"{examined.cost_micros / 1_000_000:.3f}"
    return _("about $%s for 1,000 people") % f"{examined.cost_micros / 1_000:,.2f}"


def _note(found):
    if not found.made_up:
        return ""
    names = ", ".join(found.made_up[:5]) + ("…" if len(found.made_up) > 5 else "")
    return (
        _("The event does not hold %s: made-up values stand for it. Events from the next save on will.")
        % names
    )
