"""A template extends another of the database; the version holds the whole, and a layout that changes takes
its templates along.
"""

import pytest
from django.core.exceptions import ValidationError
from django.db.models import RestrictedError

from notifier.deliveries import versions
from notifier.exceptions import TemplateRefused
from notifier.models import ContentVersion, Subscription, Template, TemplateContent
from notifier.templating import rendering
from tests.support.builders import make_trigger

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]

LAYOUT = (
    "<html>{% block head %}H{% endblock %}<main>{% block main %}default{% endblock %}</main>"
    "{% block foot %}F{% endblock foot %}</html>"
)


def save(name, language="", **parts):
    template, _ = Template.objects.get_or_create(name=name)
    content = TemplateContent(template=template, channel="email", language=language, **parts)
    content.full_clean()
    content.save()
    return content


def whole(content):
    return TemplateContent.objects.get(pk=content.pk).version.whole("html")


EXTENDED = [
    # what stands after `extends`, the head, the main and the foot of the whole
    ("", "H", "default", "F"),
    ("\n{% block main %}Hi {{ user.first_name }}{% endblock %}\n", "H", "Hi {{ user.first_name }}", "F"),
    ("{% block foot %}[{{ block.super }}]{% endblock %}", "H", "default", "[F]"),
    ("{% block main %}{% block inner %}x{% endblock %}{% endblock %}", "H", "x", "F"),
    ("{% block head %}{% if a %}1{% endif %}{% endblock %}", "{% if a %}1{% endif %}", "default", "F"),
    ("{% comment %}{% block main %}{% endcomment %}{# note #}", "H", "default", "F"),
    (
        "{% block main %}{% verbatim %}{% block x %}{% endverbatim %}{% endblock %}",
        "H",
        "{% verbatim %}{% block x %}{% endverbatim %}",
        "F",
    ),
]


@pytest.mark.parametrize(("source", "head", "main", "foot"), EXTENDED)
def test_blocks_are_put_into_the_layout_when_it_is_saved(source, head, main, foot):
    save("base", html=LAYOUT)
    found = whole(save("mail", html="\n{# note #}{% extends 'base' %}" + source))
    assert found == f"<html>{head}<main>{main}</main>{foot}</html>"


def test_a_layout_can_be_sent_itself():
    assert whole(save("base", html="a{% block b %}c{% endblock %}")) == "ac"


def test_a_layout_may_extend_a_layout():
    save("base", html=LAYOUT)
    save(
        "shop", html="{% extends 'base' %}{% block main %}shop: {% block item %}{% endblock %}{% endblock %}"
    )
    mail = save(
        "mail",
        html=(
            "{% extends 'shop' %}{% block item %}linen{% endblock %}{% block foot %}{{ block.super "
            "}}!{% endblock %}"
        ),
    )
    assert whole(mail) == "<html>H<main>shop: linen</main>F!</html>"
    above = save(
        "above",
        html=(
            "{% extends 'mail' %}{% block main %}({{ block.super }}){% endblock %}{% block foot "
            "%}{{ block.super }}?{% endblock %}"
        ),
    )
    assert whole(above) == "<html>H<main>(shop: linen)</main>F!?</html>"


def test_an_event_is_rendered_from_the_whole_and_a_text_is_made_of_it():
    save(
        "base",
        html="<p>{% block main %}{% endblock %}</p><p>Bye</p>",
        text="{% block main %}{% endblock %}--",
    )
    mail = save("mail", html="{% extends 'base' %}{% block main %}Hi {{ user.first_name }}{% endblock %}")
    assert mail.version.text_from_html == "Hi {{ user.first_name|oneline }}\n\nBye"
    TemplateContent.objects.filter(template__name="base").update(html="gone")
    content = rendering.EventContent(versions.compiled_version(mail.version_id), {})
    made = {"subject": "", "text": "Hi Ann\n\nBye", "html": "<p>Hi Ann</p><p>Bye</p>", "link": "", "icon": ""}
    assert content.render({"first_name": "Ann"}) == made
    text = save("text", text="{% extends 'base' %}{% block main %}Yo{% endblock %}")
    assert versions.compiled_version(text.version_id).text.source == "Yo--"
    assert mail.version.paths == {"user": {"first_name": {"": {}}}}


def test_the_layout_is_that_of_the_same_language_then_of_the_sites():
    for language in ("", "en", "de"):
        save("base", language, html=f"{language}:{{% block main %}}{{% endblock %}}")
    found = {
        language: whole(save("mail", language, html="{% extends 'base' %}"))
        for language in ("", "de", "de-at", "fr")
    }
    assert found == {"": ":", "de": "de:", "de-at": "de:", "fr": "en:"}


REFUSED = [
    # a template that is saved when `base` and `other` are there: what is said, the line
    ("{% extends 'none' %}", "There is no template “none” for email. There are: “base”, “other”.", None),
    ("{% extends 'mail' %}", "A template cannot extend itself: “mail” → “mail”.", None),
    ("{% extends base %}", "in quotes", 1),
    ("{% extends 'base'|lower %}", "in quotes", 1),
    ("\n{% if a %}{% endif %}\n{% extends 'base' %}", "must be the first tag", 3),
    ("{{ a }}{% extends 'base' %}", "must be the first tag", 1),
    ("{% extends 'base' %}\n\nHello", "stands in no block", 3),
    ("{% extends 'base' %}\n{% if a %}{% block main %}{% endblock %}{% endif %}", "stands in no block", 2),
    (
        "{% extends 'base' %}\n{% block nonsense %}{% endblock %}",
        "“base” has no block “nonsense”. It has: foot, head, main.",
        2,
    ),
    ("{% block a %}{% endblock %}\n{% block a %}{% endblock %}", "two blocks with the name “a”", 2),
    ("{% block a %}{% block a %}{% endblock %}{% endblock %}", "two blocks", 1),
    ("{% block a %}\n{% endblock b %}", "the open one is “a”", 2),
    ("\n{% block a %}", "not closed", 2),
    ("{% block %}{% endblock %}", "a name of one word", 1),
    ("{% block a b %}{% endblock %}", "a name of one word", 1),
    ("{% endblock %}{% block a %}{% endblock %}", "no tag “endblock”", 1),
    # Its own lines
    ("{% extends 'base' %}{% block main %}\n{{ a.password }}{% endblock %}", "may be a secret", 2),
    ("{% extends 'base' %}{% block main %}\n{% if a %}{% endblock %}", "endif", 2),
    ("{% extends 'base' %}{% block main %}{{ block.super|upper }}{% endblock %}", "stands alone", None),
    (
        "{% extends 'base' %}{% block main %}{% if block.super %}x{% endif %}{% endblock %}",
        "stands alone",
        None,
    ),
    ("{% extends 'texts' %}", "has no HTML for email", None),
    (
        "{% extends 'other' %}{% block x %}{% block y %}{% block x2 %}{% endblock %}{% "
        "endblock %}{% endblock %}",
        "",
        None,
    ),
]


@pytest.mark.parametrize(("source", "words", "line"), REFUSED)
def test_what_has_no_meaning_is_refused_in_words_at_the_editors_own_line(source, words, line):
    save("base", html=LAYOUT)
    save("other", html="{% block x %}{% endblock %}{% block y %}{% endblock %}")
    if "texts" in source:
        save("texts", text="x")
    template = Template.objects.create(name="mail")
    if not words:
        TemplateContent(template=template, channel="email", html=source).full_clean()
        return
    with pytest.raises(TemplateRefused) as caught:
        TemplateContent.objects.create(template=template, channel="email", html=source)
    assert words in str(caught.value)
    assert (caught.value.part, caught.value.line) == ("html", line)
    with pytest.raises(ValidationError) as refused:
        TemplateContent(template=template, channel="email", html=source).full_clean()
    assert words in refused.value.message_dict["html"][0]


def test_text_and_html_extend_one_layout_and_a_subject_none():
    for name in ("a", "b"):
        save(name, html="x", text="y")
    with pytest.raises(ValidationError, match="Let both extend one"):
        save("mail", html="{% extends 'a' %}", text="{% extends 'b' %}")
    with pytest.raises(ValidationError, match="no tag “extends”"):
        save("mail", subject="{% extends 'a' %}", text="x")


def test_circles_are_refused_wherever_they_are_closed():
    first = save("first", html="{% block a %}{% endblock %}")
    second = save("second", html="{% extends 'first' %}")
    for content, name, words in (
        (first, "first", "“first” → “first”"),
        (first, "second", "“first” → “second” → “first”"),
    ):
        content.html = f"{{% extends '{name}' %}}"
        with pytest.raises(ValidationError, match=words):
            content.full_clean()
        with pytest.raises(TemplateRefused, match=words):
            content.save()
    assert whole(second) == ""


def test_layouts_have_a_depth_and_a_size():
    save("l0", html="{% block a %}" + "x" * 1000 + "{% endblock %}")
    for number in range(1, 6):
        save(f"l{number}", html=f"{{% extends 'l{number - 1}' %}}")
    with pytest.raises(ValidationError, match="more than 5 deep"):
        save("l6", html="{% extends 'l5' %}")
    with pytest.raises(ValidationError, match="longer than 131,072 bytes"):
        save("bomb", html="{% extends 'l0' %}{% block a %}" + "{{ block.super }}" * 200 + "{% endblock %}")
    for level in ("l1", "l2", "l3"):
        content = TemplateContent.objects.get(template__name=level)
        content.html += "{% block a %}" + "{{ block.super }}" * (9 if level == "l1" else 1) + "{% endblock %}"
        content.save()
    assert len(whole(TemplateContent.objects.get(template__name="l5"))) == 9000


def test_a_layout_that_changes_makes_versions_of_all_that_extend_it():
    base = save("base", html=LAYOUT)
    save("shop", html="{% extends 'base' %}")
    mail = save("mail", html="{% extends 'shop' %}{% block main %}x{% endblock %}")
    base.html = LAYOUT.replace("H", "Head {{ instance.title }}")
    base.save(author="ada")
    version = ContentVersion.objects.filter(content=mail).first()
    assert (version.number, version.author, version.note) == (2, "ada", "The layout “base” has changed.")
    assert version.whole_html == "<html>Head {{ instance.title }}<main>x</main>F</html>"
    assert version.paths == {"instance": {"title": {"": {}}}}
    assert TemplateContent.objects.get(pk=mail.pk).version == version
    base.save()
    assert ContentVersion.objects.filter(content=mail).count() == 2


def test_a_layout_that_would_break_what_extends_it_is_not_saved():
    base, mail = (
        save("base", html=LAYOUT),
        save("mail", html="{% extends 'base' %}{% block main %}x{% endblock %}"),
    )
    base.html = "<p>no blocks</p>"
    with pytest.raises(ValidationError) as caught:
        base.full_clean()
    assert (
        "mail · email: Line 1: “base” has no block “main”. It has: none." in caught.value.message_dict["html"]
    )
    with pytest.raises(TemplateRefused, match="mail · email: Line 1: “base” has no block “main”"):
        base.save()
    assert TemplateContent.objects.get(pk=base.pk).html == LAYOUT
    trigger = make_trigger(subscribe=False)
    Subscription.objects.create(trigger=trigger, template=mail.template, channels=["email"])
    base.html = LAYOUT + "{{ instance.no_such }}"
    with pytest.raises(ValidationError, match="mail · email: email, html: “instance.no_such”"):
        base.full_clean()


def test_a_layout_that_is_used_keeps_its_name_and_stays():
    base, mail = save("base", html=LAYOUT), save("mail", html="{% extends 'base' %}")
    base.template.name = "renamed"
    with pytest.raises(ValidationError, match="“mail” extend this template by its name, “base”"):
        base.template.full_clean()
    with pytest.raises(TemplateRefused):
        base.template.save()
    with pytest.raises(RestrictedError):
        Template.objects.get(name="base").delete()
    with pytest.raises(TemplateRefused, match="There is no template “base” for email"):
        base.delete()
    assert Template.objects.get(pk=base.template_id).contents.count() == 1
    mail.template.delete()
    TemplateContent.objects.get(template=base.template_id).delete()


def test_a_version_says_who_made_it_and_why():
    content = save("base", html="one")
    content.html = "two"
    content.save(author="ada", note="Spelling.")
    assert list(content.versions.values_list("number", "author", "note")) == [
        (2, "ada", "Spelling."),
        (1, "", ""),
    ]
