"""The inbox as a page, for people; it needs no JavaScript. Calls ``items`` and ``listing``."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponseBadRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views import View

from . import items
from .endpoints import Refused
from .listing import LARGEST, read_number, read_page, read_query


@method_decorator(login_required, "dispatch")
class InboxPage(View):
    """The list, and what its buttons do."""

    def get(self, request):
        try:
            query = read_query(
                {name: request.GET[name] for name in ("cursor", "unread") if name in request.GET}
            )
        except Refused:
            # An address from yesterday: the list from its beginning is what its reader wants.
            return HttpResponseRedirect(request.path)
        number = items.last_number(request.user.pk)
        found, cursor = read_page(request.user.pk, query)
        unread = items.unread_of(request.user.pk).count()
        context = {"items": found, "next": cursor, "unread": unread, "sequence": number, "query": query}
        return TemplateResponse(request, "notifier/inbox.html", context)

    def post(self, request):
        """``read`` or ``archive`` an item by its key, or ``read_all`` up to a number."""
        user = request.user.pk
        try:
            if (up_to := read_number(request.POST, "read_all", 0, LARGEST)) is not None:
                items.mark_all_read(user, up_to=up_to)
            for name, change in (("read", items.mark_read), ("archive", items.archive)):
                if pk := read_number(request.POST, name, 1, LARGEST):
                    change(user, [pk])
        except Refused as error:
            return HttpResponseBadRequest(str(error), content_type="text/plain")
        return HttpResponseRedirect(request.get_full_path())
