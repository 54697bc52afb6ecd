"""The sidebar, in the order in which people work."""

from django.apps import apps as installed_apps
from django.contrib import admin
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from .outcomes import why
from .setup import permissions

# Page → icon. A page that this version, or this person, does not have is left out.
# https://fonts.google.com/icons
RULES = {
    "trigger": "bolt",
    "template": "edit_document",
    "audience": "groups",
    "category": "category",
}
OUTCOME = {
    "event": "history",
    "delivery": "outgoing_mail",
    "inboxitem": "inbox",
    "pause": "pause_circle",
    "budget": "savings",
    "onduty": "notification_important",
}
PEOPLE = {"user": "person", "group": "group"}
# Where they are reached, what they wish, and where nothing goes any more.
BELONGINGS = {
    "contactpoint": "alternate_email",
    "device": "smartphone",
    "preferences": "tune",
    "optout": "unsubscribe",
    "suppression": "block",
}


def navigation(request):
    """Groups of entries as unfold takes them, each with only what this person may see."""
    apps = {app["app_label"]: app for app in admin.site.get_app_list(request)}
    ours = _models(apps.pop("notifier", None))
    people = _models(apps.pop("auth", None))
    groups = [
        ("", _pages(request)),
        (_("Rules"), _entries(request, ours, RULES)),
        (_("What came of it"), _entries(request, ours, OUTCOME) + _questions(request)),
        (_("People"), _entries(request, people, PEOPLE) + _entries(request, ours, BELONGINGS)),
    ]
    groups += [
        (app["name"], _entries(request, models, dict.fromkeys(models, "table_rows")))
        for app, models in _others(apps)
    ]
    return [{"title": title, "items": items} for title, items in groups if items]


def _pages(request):
    may_see = request.user.has_perm("notifier.view_delivery")
    overview = may_see and _page(request, _("Overview"), "monitoring", "admin:notifier_overview")
    found = [overview or _page(request, _("Start"), "home", "admin:index")]
    if permissions.may_set_up(request):
        found.append(_page(request, _("Set up"), "add_alert", "admin:notifier_setup"))
    return [page for page in found if page]


def _questions(request):
    page = request.user.has_perms(why.NEEDED) and _page(request, _("Why?"), "help", "admin:notifier_why")
    return [page] if page else []


def _page(request, title, icon, name):
    try:
        url = reverse(name)
    except NoReverseMatch:
        return None
    return {"title": title, "icon": icon, "link": url, "active": request.path == url}


def _models(app):
    """Model's name → what the admin's own list says of it."""
    return {model["object_name"].lower(): model for model in app["models"]} if app else {}


def _others(apps):
    """The project's own apps, then those that were installed: nobody works in these every day."""
    own_first = sorted(
        apps.values(), key=lambda app: "site-packages" in installed_apps.get_app_config(app["app_label"]).path
    )
    return [(app, _models(app)) for app in own_first]


def _entries(request, models, icons):
    """The entries of those of ``models`` that are in ``icons``, in its order."""
    return [
        {
            "title": models[name]["name"],
            "icon": icon,
            "link": models[name]["admin_url"],
            "active": request.path.startswith(models[name]["admin_url"]) and not _is_page_of_its_own(request),
        }
        for name, icon in icons.items()
        if name in models and models[name]["admin_url"]
    ]


def _is_page_of_its_own(request):
    match = request.resolver_match
    return match is not None and match.url_name in ("notifier_setup", "notifier_overview", "notifier_why")
