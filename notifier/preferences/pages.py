"""The page on which a person chooses what they get, and how: signed in, or by a link. Calls
``people.opt_outs``.
"""

from django.contrib.auth.decorators import login_required
from django.db import router, transaction
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from ..models import OptOut, Preferences
from ..people import link_tokens, opt_outs, reader_links
from ..people.masking import masked
from . import unsubscribing, words
from .forms import WishesForm, time_zones
from .table import Table

METHODS = ["GET", "HEAD", "POST"]


@never_cache
@login_required
@require_http_methods(METHODS)
def own_preferences(request):
    """The page of a person who is signed in."""
    bearer = link_tokens.bearer_of(request.user)
    return _choose(request, bearer, str(request.user))


# The link is all that it is known by: its holder may choose, with cookies or without. It signs nobody in.
@csrf_exempt
@never_cache
@require_http_methods(METHODS)
def preferences(request, token):
    """The page of a person who holds a message's link: this page and nothing else, without a name."""
    if token == reader_links.SAMPLE:
        return unsubscribing.show(request, "sample")
    try:
        kind, key = link_tokens.read("preferences", token)
        bearer = link_tokens.find_bearer(kind, key)
    except link_tokens.BadLink:
        return unsubscribing.show(request, "bad")
    except link_tokens.GoneLink:
        return unsubscribing.show(request, "account_gone" if kind == link_tokens.USER else "message_gone")
    address = getattr(bearer.user, bearer.user.get_email_field_name(), "") if bearer.user else bearer.address
    return _choose(request, bearer, masked(str(address or "")))


def _choose(request, bearer, who):
    wish = Preferences.objects.filter(user=bearer.user.pk).first() if bearer.user else None
    table = Table(bearer)
    form = _form(bearer, wish, request.POST if request.method == "POST" else None)
    if request.method == "POST" and _save(request.POST, bearer, table, form):
        # By GET again, so that to load it again saves nothing.
        return HttpResponseRedirect(f"{request.path}?saved=1")
    context = {
        "who": who,
        "table": table,
        "form": form,
        "time_zones": time_zones() if form else (),
        "saved": "saved" in request.GET and request.method != "POST",
        "wishes": words.describe_wishes(wish) if wish else (),
        "ticked": request.POST.getlist("on") if request.method == "POST" else None,
    }
    return render(request, "notifier/preferences.html", context)


def _form(bearer, wish, data):
    """A plain address has no account that could hold more than its opt-outs."""
    if bearer.user is None:
        return None
    return WishesForm(data, instance=wish or Preferences(user=bearer.user))


def _save(data, bearer, table, form):
    """All of it or nothing. False where something is wrong with what was typed."""
    if data.get("action") == "stop":
        opt_outs.opt_out(bearer.recipient, opt_outs.EVERYTHING, opt_outs.EVERY_CHANNEL, OptOut.Source.PAGE)
        return True
    if form is not None and not form.is_valid():
        return False
    with transaction.atomic(using=router.db_for_write(OptOut)):
        if form is not None and (form.has_changed() or form.instance.pk):
            form.save()
        opt_outs.save_choices(
            bearer.recipient, table.wanted(data.getlist("shown"), data.getlist("on")), OptOut.Source.PAGE
        )
    return True
