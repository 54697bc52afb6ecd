"""Which pages of the admin are pictured, and what leads to them. Next hop: ``project.local.screenshots`` takes them."""

from dataclasses import dataclass

NOTIFIER = "/admin/notifier"
MAIL = "<h1>{{ instance.title }}</h1>\n<p>Hello {{ user.first_name }}, everything is {{ instance.discount_percent }}% off.</p>"


@dataclass(frozen=True)
class Shot:
    """A page, and its picture's name. ``path`` holds ``{names}`` of what is in the database; ``act`` does what leads to what is shown.

    ``is_whole``: the page, however long, and not only what is in the window. ``in_readme``: the README shows the window.
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
    page.get_by_role("complementary", name="Preview").frame_locator("iframe").locator("body *").first.wait_for()


def _see_sms(page):
    page.get_by_role("tab", name="sms").click()
    page.get_by_role("list", name="The parts of the SMS").get_by_role("listitem").first.wait_for()


def _go_live(page):
    page.get_by_label("Shadow").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save, and go live").wait_for()


def _open_menu(page):
    if page.viewport_size["width"] < 1280:
        # Its button has no name but its icon's.
        page.get_by_text("dock_to_right").locator("visible=true").click()


def _fail_to_sign_in(page):
    page.get_by_label("Username").fill("somebody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Please enter the correct username").wait_for()


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
    Shot("trigger-history", f"{NOTIFIER}/trigger/{{trigger}}/history/"),
    Shot("trigger-delete", f"{NOTIFIER}/trigger/{{trigger}}/delete/"),
    Shot("templates", f"{NOTIFIER}/template/"),
    Shot("template", f"{NOTIFIER}/template/{{template}}/change/", _see_preview, in_readme=True),
    Shot("template-sms", f"{NOTIFIER}/template/{{template}}/change/", _see_sms),
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
    Shot("pauses-none", f"{NOTIFIER}/pause/"),
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
