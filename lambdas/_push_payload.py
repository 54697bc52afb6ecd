"""The message as phones get it, in each platform's form. Called by ``_push_endpoints``."""

import json
import re
from bisect import bisect_right

from notifier.channels.cutting import start_of

HORIZON_HOURS = 24
# A phone that was off for longer shows no more of it: https://docs.aws.amazon.com/sns/latest/dg/sns-ttl.html
TTL_SECONDS = HORIZON_HOURS * 3600
# https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification and
# https://firebase.google.com/docs/cloud-messaging/customize-messages/set-message-type
MAX_BYTES = 4096
# Ours. Phones show less of a title, and with a text both fit.
MAX_TITLE_CHARACTERS, MAX_LINK_BYTES, MAX_ICON_CHARACTERS = 150, 1000, 100
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def attributes_of(key, message):
    """Reserved attributes:
    https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html#sns-attrib-mobile-reserved
    """
    found = {f"AWS.SNS.MOBILE.{'FCM' if key == 'GCM' else key}.TTL": str(TTL_SECONDS)}
    if key != "GCM":
        # A second copy of one delivery takes the place of the first.
        found |= {"AWS.SNS.MOBILE.APNS.PUSH_TYPE": "alert", "AWS.SNS.MOBILE.APNS.COLLAPSE_ID": _tag(message)}
    return {name: {"DataType": "String", "StringValue": value} for name, value in found.items()}


def _tag(message):
    return f"delivery-{message.delivery}"


def payload_of(key, message):
    """The JSON for one platform, MAX_BYTES at most: of a text that is longer as much as fits, and an
    ellipsis.
    """
    build = _build_apns if key != "GCM" else _build_fcm
    text = _sound(message.text.strip())

    def size_with(length):
        return len(build(message, start_of(text, length).rstrip() + "…").encode())

    whole = build(message, text)
    if len(whole.encode()) <= MAX_BYTES:
        return whole
    fitting = bisect_right(range(min(len(text), MAX_BYTES)), MAX_BYTES, key=size_with) - 1
    return build(message, start_of(text, fitting).rstrip() + "…")


def size_of(message):
    """The bytes of the larger of both platforms' JSON, before anything is cut."""
    text = _sound(message.text.strip())
    return max(len(build(message, text).encode()) for build in (_build_fcm, _build_apns))


def _build_fcm(message, text):
    """https://docs.aws.amazon.com/sns/latest/dg/sns-fcm-v1-payloads.html"""
    return _json({
        "fcmV1Message": {
            "message": {
                "notification": {"title": _title(message), "body": text},
                "data": _data(message),
                "android": {"priority": "high", "notification": {"tag": _tag(message)}},
            }
        }
    })  # fmt: skip


def _build_apns(message, text):
    """https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification"""
    alert = {"title": _title(message), "body": text} if _title(message) else {"body": text}
    return _json({"aps": {"alert": alert, "sound": "default"}, **_data(message)})


def _data(message):
    """The data that the app gets beside what is shown.

    FCM takes texts only. A link that was cut off would lead somewhere else.
    """
    link = message.link if len(message.link.encode(errors="replace")) <= MAX_LINK_BYTES else ""
    found = {
        "delivery": str(message.delivery),
        "link": _sound(link),
        "icon": start_of(_sound(message.icon), MAX_ICON_CHARACTERS),
    }
    return {name: value for name, value in found.items() if value}


def _title(message):
    title = _sound(message.subject.strip())
    return title if len(title) <= MAX_TITLE_CHARACTERS else start_of(title, MAX_TITLE_CHARACTERS - 1) + "…"


def _sound(text):
    """``text`` without halves of characters, which no JSON in UTF-8 can hold, and control characters, which
    phones cannot show.
    """
    sound = text.encode(errors="replace").decode()
    return sound if sound.isprintable() else CONTROL.sub(" ", sound)


def _json(payload):
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
