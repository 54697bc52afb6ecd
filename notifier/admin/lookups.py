"""What an address of the admin looks for, kept to what a column can hold: PostgreSQL refuses to be asked.

Django reads the search box so, and neither the filters nor what people choose from while they type.
"""

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from unfold.admin import ModelAdmin as UnfoldAdmin

from ..channels.storable import is_storable, storable
from ..templating import keys


class ModelAdmin(UnfoldAdmin):
    """Of all pages of this app."""

    def get_changelist_instance(self, request):
        """Django's; it shows the whole list instead where this raises IncorrectLookupParameters."""
        asked = (text for name, texts in request.GET.lists() if name != SEARCH_VAR for text in texts)
        if not all(map(is_storable, asked)):
            raise IncorrectLookupParameters
        return super().get_changelist_instance(request)

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, storable(search_term))


class KeysOnly:
    """For a widget that finds rows while one types: what comes back and is no key chooses nothing.

    The field says so; Django's page of the errors would ask the database for it, and fail.
    """

    def optgroups(self, name, value, attr=None):
        return super().optgroups(name, [each for each in value if self._is_key(each)], attr)

    def _is_key(self, text):
        try:
            keys.parse_key(self.field.remote_field.model, text)
        except ValidationError:
            return False
        return True


class SearchSelect(KeysOnly, AutocompleteSelect):
    pass


class SearchSelectMultiple(KeysOnly, AutocompleteSelectMultiple):
    pass


class Searching:
    """For a ModelAdmin, or an inline form: the fields of ``autocomplete_fields`` have these widgets."""

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        return super().formfield_for_foreignkey(
            db_field, request, **self._searched(SearchSelect, db_field, request, kwargs)
        )

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        return super().formfield_for_manytomany(
            db_field, request, **self._searched(SearchSelectMultiple, db_field, request, kwargs)
        )

    def _searched(self, widget, db_field, request, options):
        if db_field.name not in self.get_autocomplete_fields(request):
            return options
        return {"widget": widget(db_field, self.admin_site, using=options.get("using"))} | options
