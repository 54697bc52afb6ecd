"""The page behind a message's link to unsubscribe, and the mail program's one click on it.

Calls ``people.opt_outs``.

Note [nobody but a person's own POST]: scanners and previews follow links, so GET and HEAD change nothing. A
POST needs no session, no cookie and no CSRF token: the signed link is all that it can be known by.
https://www.rfc-editor.org/rfc/rfc8058#section-3.1
"""

from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from ..models import Category, OptOut
from ..people import link_tokens, opt_outs, reader_links
from ..people.masking import masked
from . import words

ONE_CLICK = ("List-Unsubscribe", "One-Click")
STATUS = {"bad": 404, "account_gone": 410, "message_gone": 410, "mandatory": 403, "odd": 400}


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request, token):
    """Stop what a message was about, show what can be done, or say why nothing can."""
    if token == reader_links.SAMPLE:
        return show(request, "sample")
    try:
        kind, key, category, channel = link_tokens.read("unsubscribe", token)
        bearer = link_tokens.find_bearer(kind, key)
    except link_tokens.BadLink:
        return show(request, "bad")
    except link_tokens.GoneLink:
        return show(request, "account_gone" if kind == link_tokens.USER else "message_gone")
    found = Category.objects.filter(pk=category).first()
    if found is None and int(category):
        return show(request, "category_gone", bearer)
    if found and found.mandatory:
        return show(request, "mandatory", bearer, category=found)
    choice = bearer.recipient, found and found.pk, channel
    state = _act(request, choice) if request.method == "POST" else ""
    row = opt_outs.deciding(opt_outs.rows_of(bearer.recipient), found, channel)
    return show(
        request,
        state or ("out" if row else "ask"),
        bearer,
        category=found,
        channel=channel,
        wider=_wider(row, choice),
    )


def _act(request, choice):
    """Do what was asked for; returns the words to answer."""
    name, value = ONE_CLICK
    if request.POST.get(name) == value:
        opt_outs.opt_out(*choice, OptOut.Source.MAIL)
    elif request.POST.get("action") == "unsubscribe":
        opt_outs.opt_out(*choice, OptOut.Source.LINK)
    elif request.POST.get("action") == "undo":
        opt_outs.opt_in(*choice)
        return "undone"
    else:
        return "odd"
    return "done"


def _wider(row, choice):
    """The other opt-outs that keep it away, in words: undoing this one alone brings nothing back."""
    return words.describe_choice(row) if row and (row.category_id, row.channel) != choice[1:] else ""


def show(request, state, bearer=None, *, category=None, channel="", wider=""):
    """The page in one of its states.

    It shows no name, and of an address only as much as its owner recognises.
    """
    context = {
        "state": state,
        "category": category,
        "what": words.of_what(category),
        "by": words.by_channel(channel),
        "wider": wider,
        "masked": masked(bearer.address) if bearer else "",
        "always": Category.objects.filter(mandatory=True) if category is None else (),
        "preferences_url": _preferences_path(request, bearer) if bearer else "",
    }
    return render(request, "notifier/unsubscribe.html", context, status=STATUS.get(state, 200))


def _preferences_path(request, bearer):
    """On this same site: a link that was opened elsewhere than where messages say still leads on."""
    _kind, key, *_rest = link_tokens.read("unsubscribe", request.resolver_match.kwargs["token"])
    return reverse("notifier:preferences", args=[link_tokens.sign("preferences", bearer.recipient, key)])
