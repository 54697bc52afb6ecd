"""A link to the site has its address in every channel that leaves it, once; in the site it is a path."""

import re

import pytest

from notifier.channels import registry
from notifier.channels.site_address import link_root, site_address
from notifier.deliveries import claim_deliveries, composing
from notifier.exceptions import UnreadablePath
from notifier.explaining import preview
from notifier.models import Event, TemplateContent, Trigger
from notifier.rules import conditions, offers
from notifier.templating import contents, rendering
from notifier.templating.absolute_links import absolute_html, absolute_text
from notifier.templating.compiler import compile_part
from notifier.templating.data import FrozenObject
from tests.app.models import Photo
from tests.support.builders import (
    ADDRESSES,
    make_audience,
    make_delivery,
    make_event,
    make_trigger,
    make_user,
)
from tests.support.effort import at_most

pytestmark = pytest.mark.one_database

SITE = "https://shop.example.com"
STOCK = FrozenObject(
    {"": "Stock", "model": "shop.stock", "pk": 1, "get_absolute_url": "/stock/1/?a=1&b=2", "path": "/x"}
    | {"file": FrozenObject({"": "a.png", "url": "/media/a.png"})}
    | {"far": FrozenObject({"": "a.png", "url": "https://cdn.example/a.png"})}
)
DATA = {"instance": STOCK, "path": "/p/", "host": "https://www.other.example", "far": "https://a.example/b"}
USER = FrozenObject({"": "ada", "model": "auth.user", "pk": 5, "get_absolute_url": "/ada/", "name": "<Ada>"})

HTML = [
    # an HTML, what leaves the site
    ("<a href='/x'>x</a>", f"<a href='{SITE}/x'>x</a>"),
    ('<A HREF = "/x">x</A>', f'<A HREF = "{SITE}/x">x</A>'),
    ("<a href=/x>x</a>", f"<a href={SITE}/x>x</a>"),
    ("<a\nhref='/'>x</a>", f"<a\nhref='{SITE}/'>x</a>"),
    ("<img alt='' src='/static/a.png'>", f"<img alt='' src='{SITE}/static/a.png'>"),
    (
        "<img srcset='/a.png 1x, /b.png 2x, https://c.example/c.png 3x'>",
        f"<img srcset='{SITE}/a.png 1x, {SITE}/b.png 2x, https://c.example/c.png 3x'>",
    ),
    ("<td background='/a.png'>", f"<td background='{SITE}/a.png'>"),
    ("<p style='background:url(/a.png)'>", f"<p style='background:url({SITE}/a.png)'>"),
    ("<style>p{background:url('/a.png')}</style><p>", None),  # and within a style sheet
    ("<!--[if mso]><v:rect xlink:href='/x'></v:rect><![endif]-->", None),
    ("<form action='/x'></form>", f"<form action='{SITE}/x'></form>"),
    ("<a href='//cdn.example/x'>x</a>", "<a href='https://cdn.example/x'>x</a>"),  # a mail has no scheme
    ("<a href='?a=1'>x</a>", f"<a href='{SITE}/?a=1'>x</a>"),
    *(
        (f"<a href='{link}'>x</a>", f"<a href='{link}'>x</a>")
        for link in (
            "#top", "mailto:a@b.example", "tel:+49", "data:image/png;base64,/", "cid:1", "", "x/y", "sms:/1",
            "https://a.example/b", "http://a.example",
        )
    ),
    ("<a href='{{ instance.get_absolute_url }}'>x</a>", f"<a href='{SITE}/stock/1/?a=1&amp;b=2'>x</a>"),
    ("<p>{{ instance.get_absolute_url }}</p>", f"<p>{SITE}/stock/1/?a=1&amp;b=2</p>"),
    ("<img src='{{ instance.file.url }}'>", f"<img src='{SITE}/media/a.png'>"),
    ("<img src='{{ instance.far.url }}'>", "<img src='https://cdn.example/a.png'>"),
    ("<a href='{{ path }}'>x</a>", f"<a href='{SITE}/p/'>x</a>"),  # of a provider, or an argument
    ("<a href='{% if path %}/y{% endif %}'>x</a>", f"<a href='{SITE}/y'>x</a>"),
    ("<a href='/x?u={{ user.name }}'>x</a>", f"<a href='{SITE}/x?u=&lt;Ada&gt;'>x</a>"),
    ("<a href='{{ user.get_absolute_url }}'>{{ user.name }}</a>", f"<a href='{SITE}/ada/'>&lt;Ada&gt;</a>"),
    ("{% if user.name %}<a href='/x'>x</a>{% endif %}", f"<a href='{SITE}/x'>x</a>"),
    ("<a href='{% if user.name %}/x{% endif %}'>x</a>", f"<a href='{SITE}/x'>x</a>"),
    ("{% with n=user.name %}<a href='/x'>{{ n }}</a>{% endwith %}", f"<a href='{SITE}/x'>&lt;Ada&gt;</a>"),
    ("{% for c in user.name %}{% cycle '<a href=/x>' '' '' '' '' %}{% endfor %}", f"<a href={SITE}/x>"),
    # The host is there already
    (f"<i src='{SITE}{{{{ instance.get_absolute_url }}}}'>", f"<i src='{SITE}/stock/1/?a=1&amp;b=2'>"),
    ("<i src='{{ base_url }}{{ instance.get_absolute_url }}'>", f"<i src='{SITE}/stock/1/?a=1&amp;b=2'>"),
    ("<i src='{{ host }}{{ instance.file.url }}'>", "<i src='https://www.other.example/media/a.png'>"),
    ("<a href='{{ base_url }}/x'>x</a>", f"<a href='{SITE}/x'>x</a>"),
    ("<p>1 / 2, and/or, /x</p>", "<p>1 / 2, and/or, /x</p>"),  # words
]  # fmt: skip


@pytest.fixture(autouse=True)
def site(settings):
    settings.NOTIFIER = settings.NOTIFIER | {"BASE_URL": f"{SITE}/"}


def rendered(*, root=SITE, **parts):
    sources = [parts.get(name, "") for name in contents.PARTS]
    content = rendering.EventContent(contents.compile_content(*sources), DATA, root=root)
    return content.render(USER, {"unsubscribe_url": "", "preferences_url": ""})


@pytest.mark.parametrize(("html", "expected"), HTML)
def test_links_in_html_have_the_sites_address(html, expected):
    found = rendered(html=html)["html"]
    if expected is None:
        assert SITE in found
    else:
        assert found == expected


@pytest.mark.parametrize(("html", "expected"), HTML)
def test_in_the_site_they_are_paths(html, expected):
    found = rendered(html=html, root="")["html"]
    assert SITE not in found or "base_url" in html or SITE in html
    plain = html.replace("{", "").replace("}", "")
    if plain == html and "<style" not in html:
        assert found == html


TEXTS = [
    # a text, a subject or an SMS, what leaves the site
    ("See {{ instance.get_absolute_url }}", f"See {SITE}/stock/1/?a=1&b=2"),
    (f"See {SITE}{{{{ instance.get_absolute_url }}}}.", f"See {SITE}/stock/1/?a=1&b=2."),
    ("{{ base_url }}{{ instance.get_absolute_url }}", f"{SITE}/stock/1/?a=1&b=2"),
    ("{{ base_url }}/{{ instance.get_absolute_url }}", f"{SITE}/stock/1/?a=1&b=2"),  # a slash too many
    ("www.shop.example{{ instance.get_absolute_url }}", "www.shop.example/stock/1/?a=1&b=2"),
    ("https://a.example/?u={{ instance.get_absolute_url }}", f"https://a.example/?u={SITE}/stock/1/?a=1&b=2"),
    ("https://web.example/2026/" + SITE + "/x", "https://web.example/2026/" + SITE + "/x"),
    ("{{ instance.get_absolute_url }}{{ instance.get_absolute_url }}", None),
    ("{{ user.get_absolute_url }} {{ user }}", f"{SITE}/ada/ ada"),
    ("{{ instance.file.url }} {{ instance.far.url }}", f"{SITE}/media/a.png https://cdn.example/a.png"),
    ("1 / 2 /x {{ path }}", "1 / 2 /x /p/"),  # what is no link may be anything
    ("{{ base_url }}", SITE),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_links_in_texts_have_it_once(text, expected):
    found = rendered(text=text, subject=text)
    if expected is not None:
        assert (found["text"], found["subject"]) == (expected, expected)


MADE = [
    # an HTML, the text that is made of it
    ("<a href='/x'>shop</a>", f"shop ({SITE}/x)"),
    ("<a href='/x/{{ path }}'>shop</a>", f"shop ({SITE}/x//p/)"),
    ("<a href='?a'>shop</a>", f"shop ({SITE}/?a)"),
    ("<a href='//cdn.example/x'>shop</a>", "shop (https://cdn.example/x)"),
    ("<a href='{{ instance.get_absolute_url }}'>shop</a>", f"shop ({SITE}/stock/1/?a=1&b=2)"),
    ("<a href='https://a.example'>shop</a> /x", "shop (https://a.example) /x"),
    ("<a href='#x'>shop</a>", "shop"),
]


@pytest.mark.parametrize(("html", "text"), MADE)
@pytest.mark.parametrize("root", [SITE, ""])
def test_a_text_that_is_made_of_an_html_has_them_too(html, text, root):
    found = rendering.render_unsaved({"html": html}, data=DATA, user=USER, links={}, root=root)["text"]
    expected = (
        text if root else text.replace(f"{SITE}/?", "?").replace(SITE, "").replace("https://cdn", "//cdn")
    )
    assert found == expected
    made = contents.text_template("", html)
    compiled = contents.CompiledContent(
        subject=compile_part("", html=False), text=compile_part(made, html=False),
        html=compile_part(html, html=True), text_is_made=True,
    )  # fmt: skip
    assert rendering.EventContent(compiled, DATA, root=root).render(USER, {})["text"] == expected


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/orders/5/", f"{SITE}/orders/5/"),
        ("{{ instance.get_absolute_url }}", f"{SITE}/stock/1/?a=1&b=2"),
        ("{{ base_url }}{{ instance.get_absolute_url }}", f"{SITE}/stock/1/?a=1&b=2"),
        ("https://a.example/b", "https://a.example/b"),
        ("//a.example/b", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_the_link_of_a_message_has_it(link, expected):
    assert rendered(link=link)["link"] == expected
    assert rendered(link=link, icon="/a.png")["icon"] == f"{SITE}/a.png"
    inside = rendered(link=link, icon="/a.png", root="")
    assert inside["icon"] == "/a.png"
    assert inside["link"] in (expected, expected.removeprefix(SITE))


@pytest.mark.django_db
@pytest.mark.parametrize("channel", sorted(ADDRESSES.keys() | {"inbox"}))
def test_every_channel_that_leaves_the_site_has_it_and_the_inbox_has_paths(channel):
    parts = {
        "subject": "s",
        "text": "{{ instance.get_absolute_url }}",
        "link": "{{ instance.get_absolute_url }}",
    }
    delivery = make_delivery(channel=channel, parts=parts, data=DATA)
    works = claim_deliveries([delivery.pk], channel=channel, lease_seconds=900)
    ((_, message),), _ = composing.compose_messages(works, channel)
    root = "" if registry.is_read_in_the_site(channel) else SITE
    assert (message.text, message.link) == (f"{root}/stock/1/?a=1&b=2",) * 2
    assert link_root(channel) == root


ADDRESSES_OF_SITES = [
    # BASE_URL, what links begin with
    ("https://shop.example.com/", "https://shop.example.com"),
    ("https://bücher.example", "https://xn--bcher-kva.example"),
    ("https://bücher.example:8443/shop/", "https://xn--bcher-kva.example:8443/shop"),
    ("https://пример.испытание", "https://xn--e1afmkfd.xn--80akhbyknj4f"),
    ("http://localhost:8000", "http://localhost:8000"),
    ("", ""),
]


@pytest.mark.parametrize(("base", "address"), ADDRESSES_OF_SITES)
def test_the_sites_address_is_as_dns_has_it(base, address, settings):
    settings.NOTIFIER = settings.NOTIFIER | {"BASE_URL": base}
    assert site_address() == address


@pytest.mark.django_db
def test_a_one_click_link_of_a_site_with_other_letters_can_stand_in_a_header(settings):
    settings.NOTIFIER = settings.NOTIFIER | {"BASE_URL": "https://bücher.example"}
    delivery = make_delivery(parts={"text": "{{ unsubscribe_url }} {{ base_url }}"}, data={})
    works = claim_deliveries([delivery.pk], channel="email", lease_seconds=900)
    ((_, message),), _ = composing.compose_messages(works, "email")
    assert message.unsubscribe_url.startswith("https://xn--bcher-kva.example/")
    assert message.text == f"{message.unsubscribe_url} https://xn--bcher-kva.example"


def test_base_url_is_offered_to_texts_and_to_nothing_else():
    trigger = Trigger(verb="post_save", model="demo.post")
    offers.check_paths(compile_part("{{ base_url }}", html=False).paths, trigger)
    with pytest.raises(UnreadablePath, match="has no “base_url”"):
        conditions.check_condition("base_url", trigger)
    with pytest.raises(UnreadablePath, match="“base_url.x”"):
        offers.check_paths(compile_part("{{ base_url.x }}", html=False).paths, trigger)


@pytest.mark.django_db
def test_no_event_holds_it():
    text = {"text": "{{ base_url }} {{ instance.title }}"}
    make_trigger(model="shop.photo", contents={"email": text}, audiences=[make_audience(users=[make_user()])])
    Photo.objects.create(title="p")
    assert "base_url" not in Event.objects.get().data


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("base", "channel", "warned"),
    [("", "email", True), ("", "inbox", False), (SITE, "email", False)],
)
def test_a_preview_warns_of_links_that_would_lead_nowhere(base, channel, warned, settings):
    settings.NOTIFIER = settings.NOTIFIER | {"BASE_URL": base}
    event = make_event(data=DATA)
    content = TemplateContent(channel=channel, subject="s", html="<a href='/x'>x</a>", link="/x")
    found = preview.preview(content, event=event).examination.problems
    assert {each.part for each in found if "BASE_URL" in each.text} == (
        {"text", "html", "link"} if warned else set()
    )


@pytest.mark.parametrize(
    "piece", [" href='/x'", " href=", "url(", " srcset='", SITE, "https://", "a.", "\ue006/", ", "]
)
def test_it_takes_time_by_the_length(piece):
    text = piece * (100_000 // len(piece))
    with at_most(1):
        absolute_html(text, SITE)
        absolute_text(text, SITE)


def test_no_mark_reaches_anybody():
    found = rendered(html="<a href='/x'>a</a><a href='?x'>b</a>")
    assert not re.search("[\ue000-\uf8ff]", "".join(found.values()))
