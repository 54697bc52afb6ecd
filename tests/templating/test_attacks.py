"""Templates that somebody wrote to get at more than they may, or to stop a function; and what each gets."""

import tracemalloc

import pytest
from django.contrib.auth import get_user_model

from notifier.exceptions import TemplateRefused, TemplateTooLarge, UnreadablePath
from notifier.models import Template, TemplateContent, Trigger
from notifier.models.templates import layout_book
from notifier.rules import offers
from notifier.templating import contents, rendering, snapshot
from notifier.templating.data import FrozenObject
from project.demo.models import Post
from tests.support.effort import at_most

pytestmark = pytest.mark.one_database

EVIL = "<script>alert(1)</script>\r\nBcc: eve@example.com {{ user.password }}"


def attempt(source, part="html"):
    """What one person receives of a template that was saved for posts.

    The post and the person hold what an attack is after.
    """
    parts = {"subject": "", "text": "", "html": ""} | {part: source}
    compiled = contents.compile_content(**parts, channel="email", book=layout_book("email"))
    for each in compiled.parts().values():
        offers.check_paths(each.paths, Trigger(verb="post_save", model="demo.post"))
    live = {
        "instance": Post(title=EVIL, body="x" * 100),
        "created": True,
        "verb": "post_save",
        "action_object": Post,
    }
    paths = dict(compiled.paths)
    person = snapshot.freeze(
        {"user": get_user_model()(username="ann", password="hash-of-ann")}, {"user": paths.pop("user", {})}
    )
    return rendering.EventContent(compiled, snapshot.freeze(live, paths)).render(person["user"])[part]


NO_TAG, NO_FILTER, SECRET, NO_NAME, UNDERSCORE = (
    "There is no tag",
    "There is no filter",
    "may be a secret",
    "has no “",
    "begin with",
)
NOTHING_CALLED = "has nothing called"
REFUSED = [
    # Settings, and what a page's context would have.
    ("{{ settings.SECRET_KEY }}", SECRET),
    ("{{ settings.DATABASES }}", NO_NAME),
    ("{{ request.META }}", NO_NAME),
    ("{{ perms }}", NO_NAME),
    ("{{ user.username.upper }}", "Write user.username|upper."),
    ("{{ instance.title.format }}", "which has no “format”"),
    ("{{ verb.join }}", "“verb.join”"),
    ("{{ messages }}", NO_NAME),
    ("{{ view }}", NO_NAME),
    ("{% debug %}", NO_TAG),
    ("{% settings %}", NO_TAG),
    # Passwords and other secrets, by any name that leads there.
    ("{{ user.password }}", SECRET),
    ("{{ user.PASSWORD }}", SECRET),
    ("{% with u=user %}{{ u.password }}{% endwith %}", SECRET),
    ("{% if user.password|slice:':1' == 'p' %}yes{% endif %}", SECRET),
    ("{% for letter in user.password %}{{ letter }}{% endfor %}", SECRET),
    ("{% firstof user.password %}", SECRET),
    ("{% translate user.password %}", SECRET),
    ("{% translate 'x' context user.password %}", SECRET),
    ("{{ user.email|default:user.password }}", SECRET),
    ("{% widthratio user.password 1 1 %}", SECRET),
    ("{% ifchanged user.password %}x{% endifchanged %}", SECRET),
    ("{% cycle user.password 'x' %}", SECRET),
    ("{{ user.auth_token.key }}", SECRET),
    ("{{ user.session_set.all }}", SECRET),
    # Other people's rows, methods, the model itself.
    ("{{ user.groups.all.0.user_set.all.0.email }}", "other people"),
    ("{% for group in user.groups.all %}{{ group.user_set.all|join:',' }}{% endfor %}", "other people"),
    ("{{ user.objects.all }}", NOTHING_CALLED),
    ("{{ instance.delete }}", NOTHING_CALLED),
    ("{{ instance.save }}", NOTHING_CALLED),
    ("{{ instance.refresh_from_db }}", NOTHING_CALLED),
    ("{{ user.set_unusable_password }}", SECRET),
    ("{{ user.check_password }}", SECRET),
    ("{{ user.get_all_permissions }}", NOTHING_CALLED),
    ("{{ user.get_session_auth_hash }}", SECRET),
    ("{{ user.groups.model }}", "is a list"),
    ("{{ user.user_permissions.model }}", "may be a secret, or lead to one"),
    ("{{ instance.objects }}", NOTHING_CALLED),
    ("{{ action_object.objects.all }}", NOTHING_CALLED),
    ("{{ instance.__class__ }}", UNDERSCORE),
    ("{{ instance._meta.model.objects.all }}", UNDERSCORE),
    ("{{ instance._state.db }}", UNDERSCORE),
    ("{{ ''.__class__.__mro__ }}", ""),
    ("{{ user.__init__.__globals__ }}", UNDERSCORE),
    ("{{ user|attr:'password' }}", NO_FILTER),
    # Tags that load, include, run or switch something off.
    ("{% load static %}", NO_TAG),
    ("{% load os %}", NO_TAG),
    ("{% include '/etc/passwd' %}", NO_TAG),
    ("{% include instance.title %}", NO_TAG),
    ("{% ssi '/etc/passwd' %}", NO_TAG),
    ("{% csrf_token %}", NO_TAG),
    ("{% url 'admin:index' %}", NO_TAG),
    ("{% static 'x' %}", NO_TAG),
    ("{% autoescape off %}{{ instance.title }}{% endautoescape %}", NO_TAG),
    ("{% filter force_escape %}x{% endfilter %}", NO_TAG),
    ("{% lorem 100000 p random %}", NO_TAG),
    ("{% regroup a by b as c %}", NO_TAG),
    ("{% partialdef x %}{% endpartialdef %}", NO_TAG),
    ("{% querystring a=1 %}", NO_TAG),
    ("{% blocktranslate count n=user.x %}{% endblocktranslate %}", NO_TAG),
    ("{% language 'de' %}{% endlanguage %}", NO_TAG),
    ("{% get_current_language as x %}", NO_TAG),
    ("{% cache 1 x %}{% endcache %}", NO_TAG),
    # Filters that write markup, show what no path names, or allocate what their argument says.
    ("{{ instance.title|safe }}", NO_FILTER),
    ("{{ instance.title|safeseq }}", NO_FILTER),
    ("{{ instance|pprint }}", NO_FILTER),
    ("{{ instance|json_script:'x' }}", NO_FILTER),
    ("{{ instance.title|urlize }}", NO_FILTER),
    ("{{ 'x'|center:999999999 }}", NO_FILTER),
    ("{{ 'x'|ljust:999999999 }}", NO_FILTER),
    ("{{ 'x'|rjust:'999999999' }}", NO_FILTER),
    ("{{ 1|stringformat:'999999999d' }}", NO_FILTER),
    ("{{ instance.title|make_list }}", NO_FILTER),
    ("{{ user|dictsort:'password' }}", NO_FILTER),
    ("{{ user|dictsort:'__class__' }}", NO_FILTER),
    ("{{ instance.title|linenumbers }}", NO_FILTER),
    ("{{ instance.title|phone2numeric }}", NO_FILTER),
    ("{{ instance.title|unordered_list }}", NO_FILTER),
    # Depth and size.
    ("{% if created %}" * 500 + "{% endif %}" * 500, "nested more than 32 deep"),
    ("{% spaceless %}" * 500 + "{% endspaceless %}" * 500, "nested more than 32 deep"),
    ("{% block a %}" * 500 + "{% endblock %}" * 500, "deep"),
    ("{% if " + "not " * 50_00 + "created %}{% endif %}", "at most 100 words"),
    ("{{ instance" + ".title" * 5000 + " }}", "more than 24 parts"),
    ("{% with a=instance.title|default:verb %}" * 33 + "{% endwith %}" * 33, "nested more than 32 deep"),
    ("x" * 70_000, "longer than 65,536 bytes"),
    ("\U0001f600" * 20_000, "longer than 65,536 bytes"),
    ("{{ x|" + "lower|" * 11_000 + "lower }}", "longer than 65,536 bytes"),
    # Layouts.
    ("{% extends '/etc/passwd' %}", "There is no template “/etc/passwd”"),
    ("{% extends '../settings.py' %}", "There is no template"),
    ("{% extends 'admin/base.html' %}", "There is no template"),
    ("{% extends instance.title %}", "in quotes"),
    ("{% extends 'layout' %}{% extends 'layout' %}", "must be the first tag"),
    ("{% extends 'layout' %}{% block __class__ %}{% endblock %}", "has no block"),
    (
        "{% extends 'layout' %}{% block main %}" + "{{ block.super }}" * 3800 + "{% endblock %}",
        "more than 2,000 blocks",
    ),
    (
        "{% extends 'bomb' %}{% block main %}" + "{{ block.super }}" * 900 + "{% endblock %}",
        "more than 2,000 blocks",
    ),
    ("{% extends 'layout' %}{% block main %}{% block main %}{% endblock %}{% endblock %}", "two blocks"),
    (
        "{% extends 'turned' %}{% block two %}{% block one %}{{ block.super }}{% endblock %}{% endblock %}",
        "inside itself",
    ),
    ("{% block a %}{{ block.super.__class__ }}{% endblock %}", UNDERSCORE),
    ("{% block a %}{{ block.context }}{% endblock %}", "stands alone"),
    # What a tag of ours takes.
    ("{% translate %}", "Write {% translate"),
    ("{% translate 'a' 'b' %}", "Write {% translate"),
    ("{% translate 'a' as user.password %}", "Write {% translate"),
    ("{% translate 'a' noop %}", "Write {% translate"),
    ("{% translate 'a' as x as y %}", "Write {% translate"),
]


@pytest.fixture
def layouts(db):
    for name, html in (
        ("layout", "{% block main %}{% endblock %}"),
        ("double", "{% extends 'layout' %}{% block main %}" + "{{ block.super }}" * 40 + "{% endblock %}"),
        ("bomb", "{% extends 'double' %}{% block main %}" + "{{ block.super }}" * 40 + "{% endblock %}"),
        ("one", "{% block one %}{% endblock %}{% block two %}{% endblock %}"),
        ("turned", "{% extends 'one' %}{% block one %}{% block two %}{% endblock %}{% endblock %}"),
    ):
        TemplateContent.objects.create(
            template=Template.objects.create(name=name), channel="email", html=html
        )


@pytest.mark.parametrize(("source", "words"), REFUSED, ids=lambda value: value[:60])
def test_it_is_refused_when_it_is_saved(layouts, source, words):
    with at_most(seconds=2), pytest.raises((TemplateRefused, UnreadablePath)) as caught:
        attempt(source)
    assert words in str(caught.value)
    assert "hash-of-ann" not in str(caught.value)


TITLE = "&lt;script&gt;alert(1)&lt;/script&gt;\r\nBcc: eve@example.com {{ user.password }}"
ONE_LINE = "<script>alert(1)</script> Bcc: eve@example.com {{ user.password }}"
SHOWN = [
    # the part, its source, what is shown
    ("html", "{{ instance.title }}", TITLE),
    ("html", "<a title='{{ instance.title }}'>", f"<a title='{TITLE}'>"),
    ("html", "{{ instance.title|escape|default:'x'|lower|capfirst }}", TITLE.capitalize()),
    ("html", "{% with t=instance.title %}{{ t }}{% endwith %}", TITLE),
    ("html", "{% firstof instance.title %}", TITLE),
    ("html", "{% cycle instance.title 'x' %}", TITLE),
    ("html", "{% translate instance.title %}", TITLE.replace("\r", "")),  # gettext ends lines its own way
    ("html", "{% translate instance.title as t %}{{ t }}", TITLE.replace("\r", "")),
    ("html", "{{ instance.title|truncatechars_html:3 }}", "&lt;script&gt;al…&lt;/script&gt;"),
    ("html", "{{ instance.title|striptags|slice:':8' }}", "alert(1)"),
    # Nothing is formatted
    ("html", "{{ '%(user)s %s {0.__class__}'|add:verb }}", "%(user)s %s {0.__class__}post_save"),
    ("html", "{% translate '%(password)s {user} %s' %}", "%(password)s {user} %s"),
    ("html", "{% translate '' %}", ""),  # gettext's answer to nothing is the head of the catalogue
    ("html", "{{ instance.title.0 }}{{ created.real }}{{ action_object.title.0 }}", ""),
    ("html", "{{ action_object }}", "&lt;class &#x27;project.demo.models.Post&#x27;&gt;"),
    ("html", "{% verbatim %}{{ user.password }}{% endverbatim %}", "{{ user.password }}"),
    (
        "html",
        "{% templatetag openvariable %} user.password {% templatetag closevariable %}",
        "{{ user.password }}",
    ),
    ("html", "{% comment %}{% load os %}{{ user.password }}{% endcomment %}{# {% include 'x' %} #}", ""),
    ("html", "{% if user.username in instance.title or created.x.y.z %}a{% endif %}", ""),
    ("subject", "{{ instance.title }}", ONE_LINE),
    ("subject", "A\r\nBcc: eve@example.com\r\n\r\nbody", "A Bcc: eve@example.com body"),
    ("subject", "{{ instance.title|lines }}\n{% translate 'a' %}\x00\u2028X", f"{ONE_LINE} a X"),
    ("subject", "{{ instance.title|linebreaksbr|oneline|slice:':6' }}", "<scrip"),
    ("text", "{{ instance.title|oneline }}", ONE_LINE),
    ("text", "half \ud800 of a pair {{ verb }}\x00", "half \ud800 of a pair post_save\x00"),
]


@pytest.mark.parametrize(("part", "source", "shown"), SHOWN, ids=lambda value: value[:60])
def test_it_shows_text_and_nothing_else(part, source, shown):
    found = attempt(source, part)
    assert "hash-of-ann" not in found
    assert found == shown


LONG = {"l": [FrozenObject({"": "x", "t": "y" * 50})] * 500, "s": "é" * 100_000, "n": 10**300}
STOPPED = [
    # What would take more time or memory than a message is worth.
    "{% for a in l %}{% for b in l %}{% for c in l %}{{ c.t }}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in l %}{% for b in l %}{% if a == b %}{% endif %}{% endfor %}{% endfor %}",
    "{% for a in l %}{% for b in l reversed %}{% cycle 'x' 'y' silent %}{% endfor %}{% endfor %}",
    "{% for a in s %}{% endfor %}",
    "{% for a in s|slice:':9999' %}{% for b in s %}{% endfor %}{% endfor %}",
    "{% for a in l %}{{ s }}{% endfor %}",
    "{% for a in l %}{% translate s %}{% endfor %}",
    "{% for a in l %}{% spaceless %}{{ s }}{% endspaceless %}{% endfor %}",
    "{{ l|join:s }}",
    "{{ s|urlencode|urlencode|urlencode }}",
    "{{ s|linebreaks|force_escape|force_escape|urlencode|force_escape }}",
    "{{ s|iriencode|urlencode|length }}",
    "{{ 1|floatformat:99999999 }}",
    "{{ 1|floatformat:'-99999999g' }}",
    "{{ s }}{{ s }}",
    "{% with a=s|add:s %}{% with b=a|add:s %}{{ b }}{{ a }}{{ s }}{{ s }}{% endwith %}{% endwith %}",
    "{% if user.x %}{{ s }}{{ s }}{% else %}{{ s }}{{ s }}{% endif %}",
    "{% for a in l %}{% for b in l %}{{ user.name }}{% endfor %}{% endfor %}",
]
BOUNDED = [
    # What it shows instead.
    ("{{ s|add:s|add:s|length }}", "0"),
    (
        "{% with a='xxxxxxxxxxxxxxxx' %}"
        + "{% with a=a|add:a %}" * 31
        + "{{ a|length }}"
        + "{% endwith %}" * 32,
        "0",
    ),
    ("{% with a=9 %}" + "{% with a=a|add:a %}" * 30 + "{{ a }}" + "{% endwith %}" * 31, str(9 * 2**30)),
    ("{{ n|add:n|length }}", "0"),
    ("{{ '9999999999999999999999'|floatformat:99|length }}", "122"),
    (
        "{{ '1e999999999'|floatformat:2 }}{{ 'nan'|floatformat }}{{ 'inf'|floatformat:2 }}",
        "1e999999999naninf",
    ),
    ("{{ s|wordwrap:0|length }}", None),  # an error of its own, or text; soon
    ("{{ s|truncatewords:999999999|length }}", "100000"),
    ("{{ s|truncatewords_html:999999999|length }}", "100000"),
    ("{{ s|slice:'::-1'|length }} {{ s|slice:'-99999999999:99999999999'|length }}", "100000 100000"),
    ("{{ s|get_digit:99999999999 }}{{ n|get_digit:1|length }}", None),
    ("{{ s|date:s|length }} {{ s|time:s|length }} {{ s|join:s|length }}", "100000 100000 100000"),
    ("{{ s|slugify|length }} {{ s|title|length }} {{ s|cut:'x'|length }}", "100000 100000 100000"),
    ("{{ l|yesno:s|length }}", "500"),
    ("{{ n|filesizeformat }} {% widthratio n 1 n %}", None),
    ("{% now s %}", None),
    ("{{ s|striptags|length }}", "100000"),
]


def measured(source, data, part):
    """``(what it gives, bytes at the peak)``; it takes no longer than two seconds."""
    compiled = contents.compile_content(**({"subject": "", "text": "", "html": ""} | {part: source}))
    with at_most(seconds=2):
        found = outcome(compiled, data, part)
    peak = 0
    if "s" in compiled.paths or "|" in source:  # loops alone hold nothing, and take long to trace
        tracemalloc.start()
        outcome(compiled, data, part)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return found, peak


def outcome(compiled, data, part):
    try:
        return rendering.EventContent(compiled, data).render({"name": "Ann"})[part]
    except Exception as error:
        return error


@pytest.mark.parametrize("source", STOPPED, ids=lambda value: value[:60])
def test_it_is_stopped_before_it_costs(source):
    found, peak = measured(source, LONG, "html")
    assert isinstance(found, TemplateTooLarge), found
    assert peak < 30_000_000


@pytest.mark.parametrize(("source", "shown"), BOUNDED, ids=lambda value: str(value)[:60])
def test_it_stays_small(source, shown):
    found, peak = measured(source, LONG, "text")
    assert shown is None or found == shown
    assert peak < 30_000_000


def test_there_are_as_many_as_were_promised():
    assert len(REFUSED) + len(SHOWN) + len(STOPPED) + len(BOUNDED) >= 60
