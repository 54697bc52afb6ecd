"""Lists of rows that nobody edits and of which there are millions. Called by the pages of outcomes."""

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from . import display
from .lookups import ModelAdmin

# Counting millions of rows takes longer than anybody pages.
MOST_COUNTED = 10_000
# Text has no index: it is looked for among so many of the newest rows that the filters leave, and so many
# hits are listed.
MOST_SEARCHED = 100_000
MOST_FOUND = 1_000


class BoundedPaginator(Paginator):
    @cached_property
    def count(self):
        # In the list's own order: without one, PostgreSQL reads the table from its oldest end.
        return self.object_list[:MOST_COUNTED].count()


class ReadingList(ChangeList):
    def get_results(self, request):
        super().get_results(request)
        self.result_list = list(self.result_list)
        self.model_admin.attach(self.result_list)
        if not self.params and not self.query:
            # Nothing is left out, so there is no “Show all” to offer.
            self.full_result_count = self.result_count
        if self.result_count == MOST_COUNTED:
            self.search_help_text = (
                _("The newest %d are listed here. Search or filter for older ones.") % MOST_COUNTED
            )


def _newest_keys(queryset):
    return queryset.order_by("-pk").values_list("pk", flat=True)[:MOST_FOUND]


class ReadingAdmin(ModelAdmin):
    """Newest first, without changes, with as many queries for a page of fifty as for a page of one."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    sortable_by = ()
    search_help_text = (
        _("A number finds the row with that id; text is looked for among the newest %d.") % MOST_SEARCHED
    )
    Media = display.Media

    def get_changelist(self, request, **kwargs):
        return ReadingList

    def get_object(self, request, object_id, from_field=None):
        found = super().get_object(request, object_id, from_field)
        if found:
            self.attach([found])
        return found

    def attach(self, rows):
        """Give ``rows`` what their display needs of other tables, in one query each."""

    def get_search_results(self, request, queryset, search_term):
        term = search_term.strip().removeprefix("#")
        if term.isdecimal() and len(term) < 19 and (exact := queryset.filter(pk=int(term))).exists():
            return exact, False
        if not term:
            return queryset, False
        texts, _doubles = super().get_search_results(request, self._newest_of(queryset), search_term)
        found = {
            pk for hits in (texts, self.find_exactly(request, queryset, term)) for pk in _newest_keys(hits)
        }
        # By key: for two conditions of which one has no index, the whole table would be read.
        return queryset.filter(pk__in=found), False

    def find_exactly(self, request, queryset, term):
        """Rows of ``queryset``, of any age, that ``term`` names exactly, by an index."""
        return queryset.none()

    def _newest_of(self, queryset):
        cutoff = queryset.order_by("-pk").values_list("pk", flat=True)[MOST_SEARCHED : MOST_SEARCHED + 1]
        return queryset.filter(pk__gt=next(iter(cutoff), 0))

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
