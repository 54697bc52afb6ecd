"""The pages of people's choices: categories, opt-outs, preferences."""

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from ...channels.recipient import Recipient
from ...models import Category, OptOut, Preferences, Trigger
from ...people.addresses import recipients_called
from ...preferences import words
from ...templating import readable
from .. import display
from ..choices import channel_choices
from ..filters import ChannelFilter
from ..lookups import ModelAdmin
from ..outcomes.delivery_cells import with_names
from .audiences import SearchedAdmin
from .readers import OnlyForRecipientsReaders


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    list_display = ["title", "name", "choice", "lane", "used_by"]
    search_fields = ["name", "title"]
    prepopulated_fields = {"name": ["title"]}
    fields = ["title", "name", "description", "mandatory", "lane", "position"]
    nothing_yet = _(
        "No categories yet. A category is what messages are about, such as offers or orders: "
        "people choose by it what they get."
    )
    Media = display.Media

    def get_queryset(self, request):
        triggers = Prefetch("triggers", Trigger.objects.order_by("name"))
        return super().get_queryset(request).prefetch_related(triggers)

    @admin.display(description=_("people"))
    def choice(self, category):
        return display.doubt(_("cannot opt out")) if category.mandatory else _("can opt out")

    @admin.display(description=_("used by"), empty_value=display.NOTHING)
    def used_by(self, category):
        return display.lines(
            display.object_link(Trigger, each.pk, each.name) for each in category.triggers.all()
        )


class OptOutForm(forms.ModelForm):
    recipient = forms.CharField(
        label=_("Who"),
        max_length=330,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("A user name; or the address of somebody who is no user, such as ada@example.com."),
    )
    channel = forms.ChoiceField(
        label=_("Channel"),
        choices=lambda: [("", _("every channel")), *channel_choices()],
        widget=UnfoldAdminSelectWidget,
        required=False,
    )

    class Meta:
        model = OptOut
        fields = ["recipient", "category", "channel"]
        help_texts = {"category": _("Left blank, it is everything but what is always on.")}

    def clean_recipient(self):
        """As a delivery has it. “user:5” and “address:…” are understood as well."""
        text = self.cleaned_data["recipient"].strip()
        typed = Recipient.parse(":".join(part.strip() for part in text.split(":", 1)))
        if typed.is_user:
            return self._user(typed.user_key)
        if typed.address:
            return str(Recipient.of_address(typed.address))
        users = get_user_model()
        if user := users._default_manager.filter(**{users.USERNAME_FIELD: text}).first():
            return str(Recipient.of_user(user.pk))
        if text.startswith("+") or "@" in text.strip("@"):
            return str(Recipient.of_address(text))
        raise forms.ValidationError(
            _("There is no user “%s”, and it is no address. Write a user name or ada@example.com.") % text
        )

    def _user(self, key):
        """Of a user by key, as the database writes it: it is what messages are compared with."""
        if (user := readable.find_instance(get_user_model(), key)) is None:
            text = _("There is no user with the number “%s”. Write user:5, or a user name.")
            raise forms.ValidationError(text % key)
        return str(Recipient.of_user(user.pk))


@admin.register(OptOut)
class OptOutAdmin(OnlyForRecipientsReaders, ModelAdmin):
    """One is added for somebody who asked for it, or deleted, which brings the messages back.

    It is never changed.
    """

    form = OptOutForm
    list_display = ["said", "who", "since", "source"]
    list_filter = ["category", ChannelFilter, "source"]
    search_fields = ["recipient__exact"]
    readonly_fields = ["said", "who", "since", "source"]
    list_select_related = ["category"]
    nothing_yet = _("Nobody has opted out of anything.")
    Media = display.Media

    def get_search_results(self, request, queryset, search_term):
        """Of a user by name, or of an address in whichever spelling."""
        if not search_term.strip():
            return queryset, False
        wanted = [search_term.strip(), *recipients_called(search_term)]
        return queryset.filter(recipient__in=wanted), False

    def get_fields(self, request, obj=None):
        return ["said", "who", "since", "source"] if obj else ["recipient", "category", "channel"]

    def has_change_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        obj.source = OptOut.Source.ADMIN
        super().save_model(request, obj, form, change)

    @admin.display(description=_("what"), ordering="category")
    def said(self, row):
        return words.describe_choice(row)

    @admin.display(description=_("who"))
    def who(self, row):
        recipient = Recipient.parse(row.recipient)
        if not recipient.is_user:
            return recipient.address
        if not hasattr(row, "username"):
            with_names([row])
        return display.object_link(get_user_model(), recipient.user_key, row.username or row.recipient)

    @admin.display(description=_("since"), ordering="created_at")
    def since(self, row):
        return display.moment(row.created_at)

    def get_changelist_instance(self, request):
        """With all names at once."""
        changelist = super().get_changelist_instance(request)
        with_names(changelist.result_list)
        return changelist


class PreferencesForm(forms.ModelForm):
    class Meta:
        model = Preferences
        fields = ["user", "quiet_from", "quiet_until", "time_zone", "language", "digest"]
        help_texts = {
            "quiet_from": _(
                "In the person’s time zone. What comes in quiet hours waits until they end; "
                "what is mandatory does not."
            ),
            "time_zone": _("Such as Europe/Berlin. Blank is what the settings say, then the site’s."),
            "language": _("Such as de or pt-br. Blank is what the settings say, then the site’s."),
        }


@admin.register(Preferences)
class PreferencesAdmin(OnlyForRecipientsReaders, SearchedAdmin):
    form = PreferencesForm
    list_display = ["user", "wishes"]
    list_filter = ["digest"]
    searched = raw_id_fields = ["user"]
    nothing_yet = _(
        "Nobody has chosen anything yet. Everybody has a page for it, which a link in each "
        "message can lead to."
    )
    Media = display.Media

    def get_search_fields(self, request):
        return [f"user__{get_user_model().USERNAME_FIELD}__exact"]

    @admin.display(description=_("has chosen"), empty_value=display.NOTHING)
    def wishes(self, wish):
        return display.lines(words.describe_wishes(wish))
