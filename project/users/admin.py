"""Users, groups and attempts to sign in as Django and axes have them, with this site's look and look-ups."""

from axes.admin import AccessAttemptAdmin, AccessFailureLogAdmin, AccessLogAdmin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from notifier.admin.lookups import ModelAdmin

admin.site.unregister([User, Group, AccessAttempt, AccessFailureLog, AccessLog])


class UserForm(UserChangeForm):
    """Who may only look at a user sees what kind of hash the password has, and not the hash.

    Django 6.1 took away the mark by which unfold (0.110) tells such a widget.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["password"].widget.read_only = True


@admin.register(User)
class NotifiedUserAdmin(UserAdmin, ModelAdmin):
    form = UserForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ["username"]
    # Two lists of every permission beside each other do not fit on a phone; these are found by typing.
    filter_horizontal = []
    autocomplete_fields = ["groups", "user_permissions"]


@admin.register(Group)
class NotifiedGroupAdmin(GroupAdmin, ModelAdmin):
    filter_horizontal = []
    autocomplete_fields = ["permissions"]


@admin.register(Permission)
class PermissionSearch(ModelAdmin):
    """Only to be found while one types: it is in no list, and nobody changes one."""

    search_fields = ["name", "codename", "content_type__app_label", "content_type__model"]
    ordering = ["content_type__app_label", "content_type__model", "codename"]

    def has_module_permission(self, request):
        return False

    def has_view_permission(self, request, obj=None):
        return any(map(request.user.has_perm, ["auth.change_user", "auth.add_group", "auth.change_group"]))

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(AccessAttempt)
class AttemptAdmin(ModelAdmin, AccessAttemptAdmin):
    pass


@admin.register(AccessFailureLog)
class FailureAdmin(ModelAdmin, AccessFailureLogAdmin):
    pass


@admin.register(AccessLog)
class SignInAdmin(ModelAdmin, AccessLogAdmin):
    pass
