"""The sender that people write into the settings: read as the mail will have it, or refused with the form to
write.
"""

import pytest
from django.core.checks import run_checks
from django.core.mail import EmailMessage

from notifier.channels.sender import address_of
from notifier.exceptions import SenderRefused

SENDERS = [
    # what is written, the address of the mails
    ("shop@example.com", "shop@example.com"),
    ("  Shop <shop@example.com>\n", "shop@example.com"),  # what a secret store adds
    ("<shop@example.com>", "shop@example.com"),
    ('"Shop, Inc." <shop@example.com>', "shop@example.com"),
    ('"shop@home" <shop@example.com>', "shop@example.com"),
    ('"The \\"Shop\\": all (UK)" <shop@example.com>', "shop@example.com"),
    ("Shop. Inc <shop@example.com>", "shop@example.com"),  # obsolete, and everybody takes it
    ("O'Neil & Söhne <shop@example.com>", "shop@example.com"),
    ("=?utf-8?q?Gr=C3=B6=C3=9Fe=2C_Inc=2E?= <shop@example.com>", "shop@example.com"),  # RFC 2047
    ("商店 <shop@example.com>", "shop@example.com"),
    ("Shop <shop@münchen.example>", "shop@xn--mnchen-3ya.example"),  # as DNS and SES have it
    ("Shop+news@Example.com", "Shop+news@Example.com"),
    ("webmaster@localhost", "webmaster@localhost"),  # Django's own default
]
REFUSED = [
    # what is written, what is said
    ("", "no mail address"),
    (" \n", "no mail address"),
    ("Shop", "no mail address"),
    ("Shop <>", "no mail address"),
    ("shop@", "no mail address"),
    ("shop@example", "nor a name and an address"),  # no domain that anybody has
    ("shop@example..com", "nor a name and an address"),
    ("shop@exa mple.com", "nor a name and an address"),
    ("Shop, Inc. <shop@example.com>", 'write "Shop, Inc." <shop@example.com>'),
    ("shop@home <shop@example.com>", 'write "shop@home" <shop@example.com>'),
    ("Shop: UK <shop@example.com>", 'write "Shop: UK" <shop@example.com>'),
    ("Shop; UK <shop@example.com>", 'write "Shop; UK" <shop@example.com>'),
    ("[Shop] <shop@example.com>", 'write "[Shop]" <shop@example.com>'),
    ("Shop \\ Söhne <shop@example.com>", 'write "Shop \\\\ Söhne" <shop@example.com>'),
    ("Shop (UK <shop@example.com>", 'write "Shop (UK" <shop@example.com>'),
    ("Shop <shop@example.com", 'write "Shop" <shop@example.com>'),
    ("Shop shop@example.com", 'write "Shop" <shop@example.com>'),
    ("a@example.com, b@example.com", "holds 2 addresses"),
    ("Shop <a@example.com>, Bo <b@example.com>", "holds 2 addresses"),
    ("Shop\n <shop@example.com>", "line break"),
    ("Shop <shop@example.com>\r\nBcc: eve@example.com", "line break"),
    ("=?utf-8?q?Shop=0ABcc=3A_eve?= <shop@example.com>", "nor a name and an address"),
    ("Shop\x00 <shop@example.com>", "control character"),
    ("Größe <größe@example.com>", "not ASCII"),  # SES has no SMTPUTF8
]


@pytest.mark.parametrize(("text", "address"), SENDERS)
def test_a_sender_that_a_mail_can_have_is_read_as_the_mail_has_it(text, address):
    assert address_of(text) == address
    mail = EmailMessage("Hello", "Hello", from_email=text.strip(), to=["ada@example.com"]).message()
    assert address in mail["From"]


@pytest.mark.django_db
@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_a_sender_that_no_mail_can_have_is_refused_with_the_form_to_write(settings, text, said):
    with pytest.raises(SenderRefused) as caught:
        address_of(text)
    assert said in str(caught.value)
    settings.DEFAULT_FROM_EMAIL = text
    (found,) = [each for each in run_checks() if each.id == "notifier.E010"]
    assert said in found.msg


@pytest.mark.parametrize(
    "text", [quoted.partition("write ")[2] for _, quoted in REFUSED if "write " in quoted]
)
def test_the_form_that_is_advised_is_taken(text):
    assert address_of(text) == "shop@example.com"


@pytest.mark.django_db
def test_a_good_sender_is_no_finding():
    assert [each for each in run_checks() if each.id == "notifier.E010"] == []
