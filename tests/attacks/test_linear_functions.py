"""No function over what somebody typed, what data brought or what a provider answered takes clearly more than
twice the time for twice the text.
"""

import json
import re
from functools import partial

import pytest

from lambdas import _push_payload, _x_timeline, chat, email, inbox, push, sms, twitter, webhook
from lambdas._chat_fitting import fit
from lambdas._chat_services import SERVICES
from notifier import log_secrets
from notifier.admin.templates import differences
from notifier.channels import combining, cutting, recipient
from notifier.channels.message import Message
from notifier.exceptions import NotifierError
from notifier.feedback import reports, ses
from notifier.feedback.sms import failure_of, read_receipt
from notifier.gates import allow_list
from notifier.rules import condition_syntax
from notifier.templating import (
    absolute_links,
    blocks,
    braces,
    contents,
    hiding_rules,
    html_skeleton,
    html_tokens,
    inlining,
    lexing,
    plaintext,
    rendering,
    safe_links,
    secret_names,
)
from notifier.templating.compiler import compile_part
from tests.support.growth import worse_than_linear
from tests.support.pattern_texts import USUAL

pytestmark = pytest.mark.one_database

ROOT = "https://shop.example.com"
# Enough for a quadratic loop of C to be seen, and few enough for a linear one of Python.
CHARACTERS, SECONDS = 6_000, 0.03
SEEDS = (
    *USUAL,
    *(
        "\u0301\u0316",
        "\u1100",
        "\uac00",
        "\ufdfa",
        "\U0001f1e6",
        "\U0001f44d\u200d",
        "\u200b",
        "\ue0030\ue004",
    ),
    *(
        "a,",
        "a ",
        "a\n",
        "a.a",
        "//a.",
        ROOT,
        f"{ROOT}/",
        f" {ROOT}",
        "<a><b>",
        "<p>",
        "</p>",
        "<div>",
        "<ul><li>",
    ),
    *(
        "<td>",
        "<table><tr><td>",
        "<b></i>",
        "<style>a{",
        "a{b:c}",
        "a b{display:none}",
        "<!--<b>",
        "{% if a %}",
    ),
    *(
        "{{ a }}",
        "{# a",
        "{% if a %}{% endif %}",
        "{{ a }}\n",
        "'a' ",
        '"a\\"',
        "{{ a|upper }}",
        "[[",
        '{"a":',
        "[1,",
    ),
)


def message(text, **fields):
    return Message(
        delivery=1, attempt=1, address="+447400123456", **({"subject": "A", "text": text} | fields)
    )


def examined(channel, text):
    return channel.examine(message(text))


def titled(channel, text):
    return channel.examine(message("a", subject=text))


def priced(channel, text):
    return channel.price(message(text))


def fitted(name, is_data, text):
    # Slack is told to read no signs where there are none, and Apprise does the rest.
    text = f"*a* {text}"
    spans = ((4, len(text)),) if is_data else ()
    return fit(message(text, from_data=spans), None, name)


def event(**bounced):
    mail = {"messageId": "1", "destination": ["a@example.com"], "timestamp": "2024-01-02T03:04:05Z"}
    told = {"bounceType": "Permanent", "bounceSubType": "General", "feedbackId": "1"} | bounced
    return json.dumps({"eventType": "Bounce", "mail": mail, "bounce": told})


def receipt(text, number="+447400123456"):
    delivery = {"destination": number, "providerResponse": text}
    notification = {"messageId": "1", "timestamp": text}
    return json.dumps({"notification": notification, "delivery": delivery, "status": "FAILURE"})


def bounce(text, address="a@example.com"):
    return event(bouncedRecipients=[{"emailAddress": address, "diagnosticCode": text, "status": "5.1.1"}])


CHANNELS = {
    "mail": email,
    "sms": sms,
    "x": twitter,
    "chat": chat,
    "push": push,
    "webhook": webhook,
    "inbox": inbox,
}
FUNCTIONS = {
    **{f"{name} examined": partial(examined, of) for name, of in CHANNELS.items()},
    **{f"{name} titled": partial(titled, of) for name, of in CHANNELS.items()},
    **{f"{name} priced": partial(priced, of) for name, of in CHANNELS.items() if hasattr(of, "price")},
    **{f"words in {name}": partial(fitted, name, False) for name in SERVICES},
    **{f"data in {name}": partial(fitted, name, True) for name in SERVICES},
    "mail with HTML": lambda text: email.examine(message("a", html=text)),
    "mail says nothing": lambda text: email.says_nothing(message("", html=text)),
    "mail's address": email.checked,
    "push on Android": lambda text: _push_payload.payload_of("GCM", message(text, link=text, icon=text)),
    "push on Apple": lambda text: _push_payload.payload_of("APNS", message(text, link=text, icon=text)),
    "webhook's own data": webhook.own_data,
    "chat's address": chat.is_ones_own,
    "post on X": lambda text: _x_timeline._says({"text": text, "entities": {"urls": []}}, f"{text}!"),
    "text of an HTML": plaintext.html_to_text,
    "text template of an HTML": plaintext.text_template_from_html,
    "tidy text": plaintext.tidy_text,
    "hidden in an HTML": lambda text: plaintext.may_hide(text, html_skeleton.VALUE),
    "sheet": lambda text: hiding_rules.Sheet.of([text]).can_hide,
    "declarations": hiding_rules.declarations_of,
    "styles in their elements": lambda text: inlining.inline_styles(f"<style>b{{color:red}}</style>{text}"),
    "tokens of an HTML": lambda text: list(html_tokens.tokens_of(text)),
    "tags of a template": lexing.split_tags,
    "template": lambda text: compile_part(text, html=True),
    "template's outline": blocks.read_outline,
    "braces of a template": lambda text: braces.check_braces(compile_part(text, html=False), "text"),
    "braces": lambda text: braces.find_stray(text, html=True),
    "whole content": lambda text: contents.compile_content(text, text, text),
    "links made absolute": lambda text: absolute_links.absolute_html(text, ROOT),
    "links in a text": lambda text: absolute_links.absolute_text(text, ROOT),
    "link": safe_links.checked_link,
    "one line": rendering.one_line,
    "secret name": secret_names.may_be_secret,
    "condition's error": lambda text: condition_syntax.explain_syntax(text, text),
    "remainder's error": lambda text: condition_syntax.explain_syntax(
        f"Could not parse the remainder: '{text}' from '{text}'", text
    ),
    "differences": lambda text: differences.WORDS.findall(text),
    "few marks": combining.stream_safe,
    "start of a text": lambda text: cutting.start_of(text, len(text) // 2),
    "recipient": recipient.normalise,
    "recipient's URL": lambda text: recipient.normalise(f"https://{text}/a"),
    "recipient's domain": lambda text: recipient.normalise(f"a@{text}"),
    "recipient's number": lambda text: recipient.normalise(f"00{text}"),
    "allow-listed": lambda text: allow_list._read("*a*a*a@example.com")("email", text),
    "provider's words": lambda text: reports.without_addresses(text, [text, "aaab@example.com"]),
    "bounce": lambda text: ses.read_event(bounce(text)),
    "bounce's address": lambda text: ses.read_event(bounce("a", text)),
    "bounce's body": ses.read_event,
    "receipt": lambda text: read_receipt(receipt(text)),
    "receipt's number": lambda text: read_receipt(receipt("a", text)),
    "receipt's reason": failure_of,
    "provider's time": reports.moment_of,
    "log line": log_secrets.hide,
    "log line with escapes": lambda text: log_secrets.hide(f"%41{text}%41"),
}  # fmt: skip


def quietly(function):
    """Also where it refuses: that is to be as soon."""

    def called(text):
        try:
            function(text)
        except (NotifierError, ValueError):
            return

    return called


def slow(function, seeds=SEEDS):
    """Each seed that takes the function's time, again and again before a sign that ends it, and what each
    doubling took.
    """
    for seed in seeds:
        times = worse_than_linear(
            quietly(function), partial(repeated, seed), least=SECONDS, characters=CHARACTERS
        )
        if times:
            yield seed, [round(each, 4) for each in times]


def repeated(seed, length):
    return seed * (length // len(seed)) + "!"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_linear(name):
    assert not next(slow(FUNCTIONS[name]), None)


def test_the_measure_sees_what_is_slow():
    assert next(slow(re.compile(r"[ \t]+$", re.MULTILINE).findall, seeds=[" "]), None)
    assert not next(slow(str.split, seeds=[" ", "a "]), None)
