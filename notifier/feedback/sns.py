"""Verifies that a message that came over HTTPS is really from SNS, and of our topic. Called by ``webhook``.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import base64
import binascii
import datetime as dt
import json
import re
import time
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.utils import timezone

from .reports import moment_of

# https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html. Any other field would be unsigned,
# and so anybody's.
CONFIRMED = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": CONFIRMED,
    # Says that nothing more comes, and how to subscribe again.
    "UnsubscribeConfirmation": CONFIRMED,
}
UNSIGNED = {"Signature", "SignatureVersion", "SigningCertURL", "UnsubscribeURL"}
OPTIONAL = {"Subject", "UnsubscribeURL"}
# SHA-256. Version 1 is SHA-1, which is not trusted any more.
VERSION = "2"
CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem")
TOPIC = re.compile(r"arn:(?P<partition>aws[a-z-]*):sns:(?P<region>[a-z0-9-]+):\d{12}:[A-Za-z0-9_-]{1,256}")
# To an endpoint that is not AWS's own, SNS tries for six hours:
# https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
OLDEST, NEWEST = dt.timedelta(hours=7), dt.timedelta(minutes=5)
TIMEOUT_SECONDS = 5
MAX_CERTIFICATE_BYTES = 64 * 1024
# Whoever knows the topic's ARN can name certificates, which are not there: each is asked for once a minute,
# and so many of them by a process. SNS comes again for hours, and has one certificate for about a year.
MOST_ASKED, ASKED_SECONDS = 6, 60
_asked: dict[str, float] = {}
_kept: dict[str, Any] = {}


class NotFromSns(Exception):
    """The request is refused. The text says what is wrong with it, for our own log."""


class Unreachable(Exception):
    """SNS itself did not answer: the message is neither good nor bad, and must come again."""


def verify(body, topic_arn):
    """The message in ``body`` (bytes), as a dict of texts, if SNS signed it for ``topic_arn``.

    Raises NotFromSns.
    """
    message = _read(body)
    if message["TopicArn"] != topic_arn:
        raise NotFromSns("of another topic")
    if message["SignatureVersion"] != VERSION:
        raise NotFromSns("not signed by version 2: set the topic's SignatureVersion to 2")
    sent_at, now = moment_of(message["Timestamp"]), timezone.now()
    if sent_at is None or not now - OLDEST <= sent_at <= now + NEWEST:
        raise NotFromSns("of another time")
    url = checked_url(message["SigningCertURL"], topic_arn)
    if not CERTIFICATE_PATH.fullmatch(url.path) or url.query:
        raise NotFromSns("signed with a certificate from somewhere else")
    _check_signature(message, _certificate(url.geturl(), topic_arn))
    return message


def confirm(message, topic_arn):
    """Answer a verified SubscriptionConfirmation: from then on SNS sends what is published.

    Raises NotFromSns.
    """
    url = checked_url(message["SubscribeURL"], topic_arn)
    asked = parse_qs(url.query)
    if (
        url.path != "/"
        or asked.get("Action") != ["ConfirmSubscription"]
        or asked.get("TopicArn") != [topic_arn]
    ):
        raise NotFromSns("with a link that confirms something else")
    _get(url.geturl())


def checked_url(text, topic_arn):
    """``text``, split, if it is HTTPS to SNS in the topic's own region. Raises NotFromSns."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise NotFromSns("with a link that is none") from None
    # The whole of it, so that no user, port or dot more is in it; and nothing that another parser might read
    # otherwise.
    if (
        url.scheme != "https"
        or url.netloc != host_of(topic_arn)
        or port
        or url.fragment
        or not re.fullmatch(r"[!-\[\]-~]+", text)
    ):
        raise NotFromSns("with a link that does not lead to SNS")
    return url


def host_of(topic_arn):
    """The host of SNS in the region of the topic."""
    found = TOPIC.fullmatch(topic_arn)
    if not found:
        raise NotFromSns("for a topic that cannot be read: see FEEDBACK_TOPIC_ARN")
    return f"sns.{found['region']}.amazonaws.com{'.cn' if found['partition'] == 'aws-cn' else ''}"


def _read(body):
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise NotFromSns("not JSON") from None
    kind = message.get("Type") if isinstance(message, dict) else None
    if not isinstance(kind, str) or kind not in SIGNED:
        raise NotFromSns("of a type that SNS does not send here")
    fields = {*SIGNED[kind], *UNSIGNED}
    if message.keys() - fields or fields - message.keys() - OPTIONAL:
        raise NotFromSns("with other fields than SNS sends")
    if not all(isinstance(value, str) for value in message.values()):
        raise NotFromSns("with a field that is no text")
    return message


def _check_signature(message, certificate):
    # Only a project that opens the webhook needs it: pip install cryptography
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    names = [name for name in SIGNED[message["Type"]] if name in message]
    text = "".join(f"{name}\n{message[name]}\n" for name in names)
    try:
        signature = base64.b64decode(message["Signature"], validate=True)
        certificate.public_key().verify(signature, text.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, UnicodeEncodeError, ValueError):
        raise NotFromSns("with a signature that is not SNS's") from None


def _certificate(url, topic_arn):
    """SNS's certificate, if it is of now. Whose it is, HTTPS has shown: it came from SNS's own host.

    One that is good is kept. Raises NotFromSns and Unreachable.
    """
    found = _kept.get(url) or _read_certificate(url, topic_arn)
    if not found.not_valid_before_utc <= timezone.now() <= found.not_valid_after_utc:
        _kept.pop(url, None)
        raise NotFromSns("signed with a certificate of another time")
    _kept[url] = found
    return found


def _read_certificate(url, topic_arn):
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import DNSName, NameOID, SubjectAlternativeName, load_pem_x509_certificate
    from cryptography.x509.extensions import ExtensionNotFound

    try:
        found = load_pem_x509_certificate(_fetch(url))
        names = {each.value for each in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)}
        with suppress(ExtensionNotFound):
            names |= set(
                found.extensions.get_extension_for_class(SubjectAlternativeName).value.get_values_for_type(
                    DNSName
                )
            )
        is_rsa = isinstance(found.public_key(), RSAPublicKey)
    except ValueError:
        raise NotFromSns("signed with something that is no certificate") from None
    host = host_of(topic_arn)
    if not is_rsa or not names & {host, "sns." + host.split(".", 2)[2]}:
        raise NotFromSns("signed with a certificate of somebody else")
    return found


def _fetch(url):
    now = time.monotonic()
    for each in [each for each, moment in _asked.items() if moment <= now - ASKED_SECONDS]:
        _asked.pop(each, None)
    if url in _asked or len(_asked) >= MOST_ASKED:
        raise Unreachable("SNS was asked for enough certificates this minute")
    _asked[url] = now
    return _get(url)


def _get(url):
    """The content of an address, bounded. A redirect is not followed: it could lead anywhere."""
    try:
        with requests.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True) as response:
            if response.status_code != 200:
                raise Unreachable(f"SNS answered {response.status_code}")
            return response.raw.read(MAX_CERTIFICATE_BYTES, decode_content=True)
    except requests.RequestException as error:
        raise Unreachable(f"SNS could not be asked: {type(error).__name__}") from None
