"""Users and groups as Django has them, with unfold's forms."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class NotifiedUserAdmin(UserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ["username"]
    # Two lists of every permission beside each other do not fit on a phone; these are searched.
    filter_horizontal = []
    autocomplete_fields = ["groups"]


@admin.register(Group)
class NotifiedGroupAdmin(GroupAdmin, ModelAdmin):
    pass
