"""The pages of the admin that are pictured, and what leads to them."""

import re
from dataclasses import dataclass

NOTIFIER = "/admin/notifier"
MAIL = (
    "<h1>{{ instance.title }}</h1>\n<p>Hello {{ user.first_name }}, everything is {{ "
    "instance.discount_percent }}% off.</p>"
)


@dataclass(frozen=True)
class Shot:
    """A page, and its picture's name.

    ``path`` holds ``{names}`` of what is in the database; ``act`` does what leads to what is shown.

    ``is_whole``: the page, however long, and not only what is in the window. ``in_readme``: the README shows
    the window.
    """

    name: str
    path: str
    act: object = lambda page: None
    is_whole: bool = True
    in_readme: bool = False
    signed_in: bool = True


def _fill_in_set_up(page):
    page.get_by_label("To what?").select_option("Flash sale")
    page.get_by_label("Only if").fill("instance.discount_percent >= 20")
    page.get_by_role("checkbox", name="SMS").check()
    page.get_by_role("group", name="E-mail").get_by_label("Body").fill(MAIL)
    page.get_by_label("Its name").fill("A sale worth a message")
    page.get_by_role("status").filter(has_text="at least 20").wait_for()
    # The sentence says it all.
    page.get_by_role("button", name="Set it up").scroll_into_view_if_needed()


def _refuse_set_up(page):
    page.get_by_label("To what?").select_option("Flash sale")
    page.get_by_label("Only if").fill("instance.discount > 20")
    page.get_by_role("status").filter(has_text="discount").wait_for()
    page.get_by_role("button", name="Set it up").click()
    page.get_by_text("has nothing called").wait_for()


def _see_preview(page):
    page.get_by_role("complementary", name="Preview").frame_locator("iframe").locator(
        "body *"
    ).first.wait_for()


def _see_sms(page):
    page.get_by_role("tab", name="sms").click()
    page.get_by_role("list", name="The parts of the SMS").get_by_role("listitem").first.wait_for()


def _see_inbox(page):
    page.get_by_role("tab", name="inbox").click()
    page.get_by_label("Icon").locator("visible=true").first.wait_for()


def _go_live(page):
    page.get_by_label("Shadow").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save, and go live").wait_for()


def _switch_on(page):
    page.locator("#id_enabled").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save, and go live").wait_for()


def _open_menu(page):
    if page.viewport_size["width"] <= 1280:
        # Its button has no name but its icon's.
        page.get_by_text("dock_to_right").locator("visible=true").click()


def _fail_to_sign_in(page):
    page.get_by_label("Username").fill("somebody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Please enter the correct username").wait_for()


def _open_more(page):
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")


def _open_bell(page):
    page.get_by_role("button", name=re.compile("^Notifications")).click()
    page.get_by_role("dialog", name="Notifications").get_by_role("listitem").first.wait_for()


def _click(name):
    return lambda page: page.get_by_role("button", name=name, exact=True).click()


SHOTS = [
    Shot("sign-in", "/admin/login/", signed_in=False),
    Shot("sign-in-refused", "/admin/login/", _fail_to_sign_in, signed_in=False),
    Shot("start", "/admin/"),
    Shot("menu", f"{NOTIFIER}/overview/", _open_menu, is_whole=False),
    Shot("overview", f"{NOTIFIER}/overview/", in_readme=True),
    Shot("overview-7d", f"{NOTIFIER}/overview/?range=7d"),
    Shot("overview-30d", f"{NOTIFIER}/overview/?range=30d"),
    Shot("set-up-empty", f"{NOTIFIER}/trigger/setup/"),
    Shot("set-up", f"{NOTIFIER}/trigger/setup/", _fill_in_set_up, in_readme=True),
    Shot("set-up-refused", f"{NOTIFIER}/trigger/setup/", _refuse_set_up),
    Shot("triggers", f"{NOTIFIER}/trigger/"),
    Shot("trigger", f"{NOTIFIER}/trigger/{{trigger}}/change/"),
    Shot("trigger-in-shadow", f"{NOTIFIER}/trigger/{{in_shadow}}/change/"),
    Shot("trigger-in-code", f"{NOTIFIER}/trigger/{{in_code}}/change/"),
    Shot("trigger-about-requests", f"{NOTIFIER}/trigger/{{about_requests}}/change/"),
    Shot("trigger-costs", f"{NOTIFIER}/trigger/{{about_requests}}/change/", _switch_on),
    Shot("trigger-history", f"{NOTIFIER}/trigger/{{trigger}}/history/"),
    Shot("trigger-delete", f"{NOTIFIER}/trigger/{{trigger}}/delete/"),
    Shot("templates", f"{NOTIFIER}/template/"),
    Shot("template", f"{NOTIFIER}/template/{{template}}/change/", _see_preview, in_readme=True),
    Shot("template-sms", f"{NOTIFIER}/template/{{template}}/change/", _see_sms),
    Shot("template-in-code", f"{NOTIFIER}/template/{{template_in_code}}/change/"),
    Shot("versions", f"{NOTIFIER}/template/content/{{content}}/versions/"),
    Shot("audiences", f"{NOTIFIER}/audience/"),
    Shot("audience", f"{NOTIFIER}/audience/{{audience}}/change/"),
    Shot("contact-points", f"{NOTIFIER}/contactpoint/"),
    Shot("contact-point", f"{NOTIFIER}/contactpoint/{{contact_point}}/change/"),
    Shot("events", f"{NOTIFIER}/event/"),
    Shot("event", f"{NOTIFIER}/event/{{event}}/change/", in_readme=True),
    Shot("event-in-shadow", f"{NOTIFIER}/event/{{event_in_shadow}}/change/"),
    Shot("deliveries", f"{NOTIFIER}/delivery/"),
    Shot("delivery", f"{NOTIFIER}/delivery/{{delivery}}/change/"),
    Shot("delivery-failed", f"{NOTIFIER}/delivery/{{failed}}/change/"),
    Shot("why-empty", f"{NOTIFIER}/event/why/"),
    Shot("why", f"{NOTIFIER}/event/why/?person=no_phone&subject={{event}}"),
    Shot("why-period", f"{NOTIFIER}/event/why/?person=ada"),
    Shot("trigger-flow", f"{NOTIFIER}/trigger/{{flowing}}/change/", _open_more),
    Shot("event-flow", f"{NOTIFIER}/event/{{flowing_event}}/change/"),
    Shot("delivery-if-unread", f"{NOTIFIER}/delivery/{{flowing_delivery}}/change/"),
    Shot("delivery-bounced", f"{NOTIFIER}/delivery/{{bounced}}/change/"),
    Shot("why-opted-out", f"{NOTIFIER}/event/why/?person=opted_out&subject={{event}}"),
    Shot("why-bounced", f"{NOTIFIER}/event/why/?person=chidi"),
    Shot("categories", f"{NOTIFIER}/category/"),
    Shot("category", f"{NOTIFIER}/category/{{category}}/change/"),
    Shot("opt-outs", f"{NOTIFIER}/optout/"),
    Shot("opt-out", f"{NOTIFIER}/optout/{{opt_out}}/change/"),
    Shot("opt-out-add", f"{NOTIFIER}/optout/add/"),
    Shot("people-preferences", f"{NOTIFIER}/preferences/"),
    Shot("people-preference", f"{NOTIFIER}/preferences/{{preferences}}/change/"),
    Shot("suppressed", f"{NOTIFIER}/suppression/"),
    Shot("suppressed-one", f"{NOTIFIER}/suppression/{{suppression}}/change/"),
    Shot("suppressed-add", f"{NOTIFIER}/suppression/add/"),
    Shot("suppressed-lift", f"{NOTIFIER}/suppression/{{suppression}}/delete/"),
    Shot("inbox-items", f"{NOTIFIER}/inboxitem/"),
    Shot("inbox-item", f"{NOTIFIER}/inboxitem/{{inbox_item}}/change/"),
    Shot("devices", f"{NOTIFIER}/device/"),
    Shot("device", f"{NOTIFIER}/device/{{device}}/change/"),
    Shot("budgets", f"{NOTIFIER}/budget/"),
    Shot("budget", f"{NOTIFIER}/budget/{{budget}}/change/"),
    Shot("budget-add", f"{NOTIFIER}/budget/add/"),
    Shot("template-inbox", f"{NOTIFIER}/template/{{template}}/change/", _see_inbox),
    Shot("bell", f"{NOTIFIER}/overview/", _open_bell, is_whole=False),
    Shot("inbox", "/notifications/"),
    Shot("outbox", "/outbox/", is_whole=False, signed_in=False),
    Shot("preferences", "/notifications/preferences/"),
    Shot("preferences-by-link", "/notifications/preferences/{link_of_person}/", signed_in=False),
    Shot(
        "preferences-saved", "/notifications/preferences/{link_of_person}/", _click("Save"), signed_in=False
    ),
    Shot("preferences-of-address", "/notifications/preferences/{link_of_address}/", signed_in=False),
    Shot("unsubscribe", "/notifications/unsubscribe/{unsubscribe}/", signed_in=False),
    Shot("unsubscribe-done", "/notifications/unsubscribe/{unsubscribed}/", signed_in=False),
    Shot("unsubscribe-cannot", "/notifications/unsubscribe/{cannot}/", signed_in=False),
    Shot("unsubscribe-broken", "/notifications/unsubscribe/cut-in-two/", signed_in=False),
    Shot("pauses-none", f"{NOTIFIER}/pause/"),
    Shot("on-duty", f"{NOTIFIER}/onduty/"),
    Shot("users", "/admin/auth/user/"),
    Shot("user", "/admin/auth/user/{user}/change/"),
    Shot("flash-sale", "/admin/demo/flashsale/add/"),
]
# While SMS are paused, which every page says, and with a question for a few people already.
PAUSED = [
    Shot("going-live", f"{NOTIFIER}/trigger/{{in_shadow}}/change/", _go_live),
    Shot("pauses", f"{NOTIFIER}/pause/"),
    Shot("overview-paused", f"{NOTIFIER}/overview/"),
    Shot("event-held", f"{NOTIFIER}/event/{{held_event}}/change/"),
]
