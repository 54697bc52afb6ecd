"""What an address of the admin may ask for: columns that its page shows to this person, and values that a
column can hold.

A list that is narrowed by a column tells it, one letter at a time, so a page answers about what it shows and
about nothing else. Django reads the search box so, and neither the filters nor what people choose from while
they type.
"""

from collections.abc import Collection, Iterator

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.filters import SimpleListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.admin.widgets import (
    AutocompleteSelect,
    AutocompleteSelectMultiple,
    url_params_from_lookup_dict,
)
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import CharField, TextField
from django.db.models.constants import LOOKUP_SEP
from django.forms import ModelMultipleChoiceField
from unfold.admin import ModelAdmin as UnfoldAdmin

from ..channels.storable import is_storable, storable
from ..templating import keys
from .masking import may_see_recipients

# Of a range Django takes each letter for a value; a pattern may be none, or take for ever; so may a year.
UNANSWERABLE = frozenset(("range", "regex", "iregex", "year", "iso_year"))
# Of a number; the largest of a column has one more.
MOST_DIGITS = 18


class ShownColumns:
    """For a ModelAdmin: look-ups, searches, filters and orders are by what the page shows to this person.

    These are the columns that the list names, those that its cells and filters are ordered or narrowed by,
    and ``shown_besides``. A column that is not there and one that is not shown are answered alike.
    """

    # Columns that cells of its own show, or the row's page, and that links narrow the list by.
    shown_besides: Collection[str] = ()
    # Columns and cells that tell of people: for those who may see recipients.
    of_recipients: Collection[str] = ()

    def lookup_allowed(self, lookup, value, request=None):
        if request is None or _is_unanswerable(self.model, lookup, value):
            return False
        path = _columns_of(self.model, lookup)
        if not self._is_for(request, lookup) or not self._is_for(request, path):
            return False
        may_ask = path in self.shown_columns(request) or lookup in self._filter_names(request)
        return (may_ask or self._is_limit(lookup, value)) and super().lookup_allowed(lookup, value, request)

    def shown_columns(self, request):
        """The columns of the list that ``request`` sees, as look-ups name them."""
        cells = (_column_of(self, cell) for cell in self.get_list_display(request))
        filters = (each for each in self._filters(request) if isinstance(each, str))
        named = {self.opts.pk.name, *cells, *filters, *self.shown_besides, self.date_hierarchy}
        return {each for each in named if each and self._is_for(request, each)}

    def get_list_display(self, request):
        return [each for each in super().get_list_display(request) if self._is_for(request, each)]

    def get_list_filter(self, request):
        return [each for each in super().get_list_filter(request) if self._is_for(request, _path(each))]

    def get_search_fields(self, request):
        return [each for each in super().get_search_fields(request) if self._is_for(request, each)]

    def get_changelist_instance(self, request):
        """Django's; it shows the whole list instead where this raises IncorrectLookupParameters."""
        try:
            return super().get_changelist_instance(request)
        except DisallowedModelAdminLookup as error:
            raise IncorrectLookupParameters from error

    def _is_for(self, request, name):
        root = str(name).lstrip("-^=@").partition(LOOKUP_SEP)[0]
        return root not in self.of_recipients or may_see_recipients(request)

    def _filters(self, request) -> Iterator[object]:
        return map(_path, self.get_list_filter(request))

    def _filter_names(self, request):
        """What filters of their own are called in the address."""
        return {each.parameter_name for each in self._filters(request) if _is_simple(each)}

    def _is_limit(self, lookup, value):
        """Whether it is what a relation of the project limits its choices to: a window to choose in asks."""
        limits = (each() if callable(each) else each for each in self.opts.related_fkey_lookups)
        return any((lookup, value) in url_params_from_lookup_dict(each).items() for each in limits)


def _path(list_filter):
    return list_filter[0] if isinstance(list_filter, list | tuple) else list_filter


def _is_simple(list_filter):
    return isinstance(list_filter, type) and issubclass(list_filter, SimpleListFilter)


def _column_of(model_admin, cell):
    """The column that a cell of the list shows: its own, or the one that it is ordered by."""
    try:
        return model_admin.opts.get_field(cell).name
    except FieldDoesNotExist:
        shows = cell if callable(cell) else getattr(model_admin, cell, getattr(model_admin.model, cell, None))
        ordered = getattr(getattr(shows, "fget", shows), "admin_order_field", None)
        return ordered.lstrip("-") if isinstance(ordered, str) else None


def _columns_of(model, lookup):
    """The columns in ``lookup``, without what is asked of them: ``event`` of ``event__id__exact``.

    The key of another row is the relation's own column. None where there is no such column.
    """
    names, asked = [], lookup.split(LOOKUP_SEP)
    for number, name in enumerate(asked):
        try:
            field = model._meta.pk if name == "pk" else model._meta.get_field(name)
        except FieldDoesNotExist:
            break
        if not (number and getattr(field, "primary_key", False)):
            names.append(field.name)
        if not field.is_relation or not field.related_model:
            break
        model = field.related_model
    return LOOKUP_SEP.join(names) or None


def _is_unanswerable(model, lookup, value):
    """Whether Django would ask the database what it cannot be asked."""
    if lookup.rpartition(LOOKUP_SEP)[2] in UNANSWERABLE:
        return True
    column = _columns_of(model, lookup)
    is_text = column in {each.name for each in model._meta.fields if isinstance(each, CharField | TextField)}
    asked = [] if is_text else str(value).split(",")
    return any(len(each.strip(" -+")) > MOST_DIGITS and each.strip(" -+").isdigit() for each in asked)


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


class ChosenRows(ModelMultipleChoiceField):
    """Rows that somebody has chosen: Django asks the database for whatever comes back, this for keys."""

    def clean(self, value):
        for each in value if isinstance(value, list | tuple) else ():
            if keys.find_key(self.queryset.model, each) is None:
                raise ValidationError(
                    self.error_messages["invalid_pk_value"], code="invalid_pk_value", params={"pk": each}
                )
        return super().clean(value)


class Searching:
    """For a ModelAdmin, or an inline form: the fields of ``autocomplete_fields`` have these widgets."""

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        return super().formfield_for_foreignkey(
            db_field, request, **self._searched(SearchSelect, db_field, request, kwargs)
        )

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        options = self._searched(SearchSelectMultiple, db_field, request, kwargs)
        return super().formfield_for_manytomany(db_field, request, **{"form_class": ChosenRows} | options)

    def _searched(self, widget, db_field, request, options):
        if db_field.name not in self.get_autocomplete_fields(request):
            return options
        return {"widget": widget(db_field, self.admin_site, using=options.get("using"))} | options


class ModelAdmin(ShownColumns, Searching, UnfoldAdmin):
    """Of all pages of this app."""

    def get_changelist_instance(self, request):
        asked = (text for name, texts in request.GET.lists() if name != SEARCH_VAR for text in texts)
        if not all(map(is_storable, asked)):
            raise IncorrectLookupParameters
        return super().get_changelist_instance(request)

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, storable(search_term))

    def response_action(self, request, queryset, **where):
        """Django's, which asks the database for what is chosen: what is no key chooses nothing."""
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        known = [each for each in chosen if keys.find_key(self.model, each) is not None]
        if known != chosen:
            request.POST = request.POST.copy()
            request.POST.setlist(ACTION_CHECKBOX_NAME, known)
        return super().response_action(request, queryset, **where)
