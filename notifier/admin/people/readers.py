"""Pages that tell of people by what they are about: for those who may see recipients."""

from ..masking import may_see_recipients


class RecipientsReadersEdit:
    """For a ModelAdmin: lets only those who may see who receives add, change and delete rows about people."""

    def has_add_permission(self, request):
        return may_see_recipients(request) and super().has_add_permission(request)

    def has_change_permission(self, request, obj=None):
        return may_see_recipients(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return may_see_recipients(request) and super().has_delete_permission(request, obj)


class OnlyForRecipientsReaders(RecipientsReadersEdit):
    """Lets only them see and search the rows, too: who has chosen what."""

    def has_view_permission(self, request, obj=None):
        return may_see_recipients(request) and super().has_view_permission(request, obj)
