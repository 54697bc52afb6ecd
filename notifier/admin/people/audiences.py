"""The pages of audiences, and of addresses that the user model does not hold."""

from django.contrib import admin
from django.contrib.admin.widgets import ManyToManyRawIdWidget
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _
from unfold.widgets import INPUT_CLASSES

from ...explaining import gone
from ...models import Audience, ContactPoint, Trigger
from ...people import spellings
from ...rules import audiences
from .. import display, masking
from ..declared import DeclaredRows
from ..filters import ChannelFilter
from ..forms import AudienceForm, ContactPointForm
from ..lookups import ModelAdmin
from .readers import RecipientsReadersEdit

# The form shows each chosen user, and Django accepts 1,000 values a form. More belong into a group.
MOST_USERS_IN_FORM = 500


class SearchedAdmin(ModelAdmin):
    """Finds related rows by typing, where their own admin can search: there may be a million of them."""

    searched = ()

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name not in self.get_autocomplete_fields(request):
            # unfold's own is no widget for several numbers.
            attrs = {"class": " ".join(INPUT_CLASSES)}
            widget = ManyToManyRawIdWidget(db_field.remote_field, self.admin_site, attrs, kwargs.get("using"))
            kwargs["widget"] = widget
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_autocomplete_fields(self, request):
        related = ((name, self.model._meta.get_field(name).related_model) for name in self.searched)
        return [name for name, model in related if self._can_search(model, request)]

    def _can_search(self, model, request):
        site = self.admin_site
        if not site.is_registered(model):
            return False
        # Its names would stand in the form, also of rows that a person only guesses the keys of.
        related = site.get_model_admin(model)
        return related.has_view_permission(request) and bool(related.get_search_fields(request))


@admin.register(Audience)
class AudienceAdmin(DeclaredRows, SearchedAdmin):
    form = AudienceForm
    list_display = ["name", "sources", "used_by"]
    search_fields = ["name"]
    nothing_yet = _(
        "No audiences yet. An audience is who gets something: all users, groups, addresses, or "
        "those whom an event names."
    )
    searched = raw_id_fields = ["users", "groups"]
    readonly_fields = ["used_by", "many_users", "hidden_users", "masked_addresses"]
    of_recipients = {"users", "addresses"}
    Media = display.Media

    def get_fieldsets(self, request, obj=None):
        users, addresses = "users", "addresses"
        # Who adds one has typed them.
        if obj and not masking.may_see_recipients(request):
            users, addresses = "hidden_users", "masked_addresses"
        elif obj and _has_many_users(obj):
            users = "many_users"
        return [
            (None, {"fields": ["name", *(["used_by"] if obj else [])]}),
            (_("People of this site"), {"fields": ["everyone", "groups", users]}),
            (_("People and addresses that the event names"), {"fields": ["paths"]}),
            (_("Others"), {"fields": [addresses, *(["callables"] if audiences.callable_names() else [])]}),
        ]

    def get_queryset(self, request):
        named = Audience.users.through.objects.filter(audience=OuterRef("pk"))
        found = super().get_queryset(request).annotate(names_users=Exists(named))
        return masking.marked(request, found).prefetch_related("groups", "subscriptions__trigger")

    @admin.display(description=_("who"), empty_value=display.NOTHING)
    def sources(self, audience):
        found = [_("all active users")] if audience.everyone else []
        found += [_("group %s") % group.name for group in audience.groups.all()]
        found += [_("chosen users")] if audience.names_users else []
        found += audiences.lines_of(audience.paths) + _address_lines(audience) + audience.callables
        return display.lines(found)

    @admin.display(description=_("used by"), empty_value=display.NOTHING)
    def used_by(self, audience):
        found = {each.trigger for each in audience.subscriptions.all()}
        triggers = sorted(found, key=lambda trigger: trigger.name)
        links = [display.object_link(Trigger, trigger.pk, trigger.name) for trigger in triggers]
        return display.lines([*links, *map(display.doubt, gone.with_audience(audience))])

    @admin.display(description=_("users"))
    def hidden_users(self, audience):
        return display.quiet(masking.WHY_HIDDEN) if audience.names_users else display.NOTHING

    @admin.display(description=_("plain addresses"))
    def masked_addresses(self, audience):
        return display.lines(_address_lines(audience))

    @admin.display(description=_("users"))
    def many_users(self, audience):
        text = _("More than %d, too many to show here. They stay as they are; a group is easier to keep.")
        return text % MOST_USERS_IN_FORM


def _has_many_users(audience):
    named = Audience.users.through.objects.filter(audience=audience)
    return named[: MOST_USERS_IN_FORM + 1].count() > MOST_USERS_IN_FORM


def _address_lines(audience):
    """“email: ops@example.com”, or “email: o…@e…” for who may not see it."""
    lines = audiences.lines_of(audience.addresses)
    if not masking.is_masked(audience):
        return lines
    parts = (line.rpartition(":") for line in lines)
    return [
        f"{channel}{colon} {masking.masked(address.strip())}".strip() for channel, colon, address in parts
    ]


@admin.register(ContactPoint)
class ContactPointAdmin(RecipientsReadersEdit, SearchedAdmin):
    form = ContactPointForm
    list_filter = [ChannelFilter, "verified"]
    nothing_yet = _(
        "No contact points yet. One is needed only for an address that the user's own page does not hold."
    )
    searched = raw_id_fields = ["user"]
    fields = ["user", "channel", "address", "verified"]
    search_fields = ["address", f"user__{get_user_model().USERNAME_FIELD}__exact"]
    of_recipients = {"address", "user"}
    readonly_fields = ["masked_address"]

    def get_list_display(self, request):
        return self._masked(request, ["address", "channel", "user", "verified"])

    def get_fields(self, request, obj=None):
        return self._masked(request, self.fields)

    def _masked(self, request, names):
        if masking.may_see_recipients(request):
            return names
        return ["masked_address", *(each for each in names if each not in self.of_recipients)]

    @admin.display(description=_("address"))
    def masked_address(self, point):
        return masking.masked(point.address)

    def get_search_results(self, request, queryset, search_term):
        """Also the address in another spelling than the one that is stored."""
        found, may_be_doubled = super().get_search_results(request, queryset, search_term)
        if not masking.may_see_recipients(request):
            return found, may_be_doubled
        same = [row.pk for row, _address in spellings.find(queryset, "address", [search_term])]
        return found | queryset.filter(pk__in=same), may_be_doubled
