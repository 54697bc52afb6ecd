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
from .. import display
from ..declared import DeclaredRows
from ..filters import ChannelFilter
from ..forms import AudienceForm, ContactPointForm
from ..lookups import ModelAdmin, Searching

# The form shows each chosen user, and Django accepts 1,000 values a form. More belong into a group.
MOST_USERS_IN_FORM = 500


class SearchedAdmin(Searching, ModelAdmin):
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
        return site.is_registered(model) and bool(site.get_model_admin(model).get_search_fields(request))


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
    readonly_fields = ["used_by", "many_users"]
    Media = display.Media

    def get_fieldsets(self, request, obj=None):
        users = "many_users" if obj and _has_many_users(obj) else "users"
        return [
            (None, {"fields": ["name", *(["used_by"] if obj else [])]}),
            (_("People of this site"), {"fields": ["everyone", "groups", users]}),
            (_("People and addresses that the event names"), {"fields": ["paths"]}),
            (_("Others"), {"fields": ["addresses", *(["callables"] if audiences.callable_names() else [])]}),
        ]

    def get_queryset(self, request):
        named = Audience.users.through.objects.filter(audience=OuterRef("pk"))
        found = super().get_queryset(request).annotate(names_users=Exists(named))
        return found.prefetch_related("groups", "subscriptions__trigger")

    @admin.display(description=_("who"), empty_value=display.NOTHING)
    def sources(self, audience):
        found = [_("all active users")] if audience.everyone else []
        found += [_("group %s") % group.name for group in audience.groups.all()]
        found += [_("chosen users")] if audience.names_users else []
        found += (
            audiences.lines_of(audience.paths) + audiences.lines_of(audience.addresses) + audience.callables
        )
        return display.lines(found)

    @admin.display(description=_("used by"), empty_value=display.NOTHING)
    def used_by(self, audience):
        found = {each.trigger for each in audience.subscriptions.all()}
        triggers = sorted(found, key=lambda trigger: trigger.name)
        links = [display.object_link(Trigger, trigger.pk, trigger.name) for trigger in triggers]
        return display.lines([*links, *map(display.doubt, gone.with_audience(audience))])

    @admin.display(description=_("users"))
    def many_users(self, audience):
        text = _("More than %d, too many to show here. They stay as they are; a group is easier to keep.")
        return text % MOST_USERS_IN_FORM


def _has_many_users(audience):
    named = Audience.users.through.objects.filter(audience=audience)
    return named[: MOST_USERS_IN_FORM + 1].count() > MOST_USERS_IN_FORM


@admin.register(ContactPoint)
class ContactPointAdmin(SearchedAdmin):
    form = ContactPointForm
    list_display = ["address", "channel", "user", "verified"]
    list_filter = [ChannelFilter, "verified"]
    nothing_yet = _(
        "No contact points yet. One is needed only for an address that the user's own page does not hold."
    )
    searched = raw_id_fields = ["user"]
    fields = ["user", "channel", "address", "verified"]

    def get_search_results(self, request, queryset, search_term):
        """Also the address in another spelling than the one that is stored."""
        found, may_be_doubled = super().get_search_results(request, queryset, search_term)
        same = [row.pk for row, _address in spellings.find(queryset, "address", [search_term])]
        return found | queryset.filter(pk__in=same), may_be_doubled

    def get_search_fields(self, request):
        return ["address", f"user__{get_user_model().USERNAME_FIELD}__exact"]
