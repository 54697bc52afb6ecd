"""The outbox: everything that the stand-ins for SES, SMS, push, X and webhooks received, to be read as a person would read it."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from itertools import islice
from threading import Lock

from django.http import Http404, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends

from . import pushes

CHANNELS = {"email": "Email", "push": "Push", "sms": "SMS", "twitter": "X", "webhook": "Webhooks"}

# As many as a person may scroll through; the JSON has all.
MOST_LISTED = 200

# Nothing runs and nothing is fetched. Styles may be inline because a frame with `srcdoc` inherits this policy, and mail
# has no other way to bring its styles; without scripts or outside addresses they can do no harm.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# The outbox of the LocalCloud that runs in this process, if any.
current = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboxMessage:
    """One received message. ``order`` counts from 1 over all channels, in the order of arrival."""

    channel: str
    recipient: str
    subject: str
    text: str
    html: str
    provider_id: str
    received_at: datetime
    order: int = 0


class Outbox:
    """Reads what moto and the stand-in for X keep. moto keeps no times, so :meth:`noting` writes them down."""

    def __init__(self, *, region, x, hooks):
        self._region, self._x, self._hooks = region, x, hooks
        self._received_at, self._noted, self._lock = {}, [0, 0], Lock()

    def clear(self):
        """Forget the mails and SMS; X's posts are its stand-in's own."""
        with self._lock:
            for received in self._sent:
                received.clear()
            pushes.forget(self._region)
            self._received_at.clear()
            self._noted = [0, 0]

    def noting(self, app):
        """``app`` (moto's), with the time of each mail and SMS noted that a request brings."""

        def noting_app(environ, start_response):
            answer = app(environ, start_response)
            self._note_arrivals()
            return answer

        return noting_app

    def read(self):
        """All messages, oldest first, as a list of OutboxMessage."""
        self._note_arrivals()
        found = [*self._mails(), *self._texts(), *self._posts(), *self._documents(), *self._pushes()]
        messages = sorted(found, key=lambda message: message["received_at"])
        return [OutboxMessage(**message, order=order) for order, message in enumerate(messages, 1)]

    @property
    def _sent(self):
        """moto's own lists of mails and of SMS by id."""
        return (
            ses_backends[DEFAULT_ACCOUNT_ID][self._region].sent_messages,
            sns_backends[DEFAULT_ACCOUNT_ID][self._region].sms_messages,
        )

    def _note_arrivals(self):
        mails, texts = self._sent
        with self._lock:
            for provider_id in pushes.pushed_ids(self._region):
                self._received_at.setdefault(provider_id, datetime.now(UTC))
            if [len(mails), len(texts)] == self._noted:
                return
            now = datetime.now(UTC)
            new_ids = [mail.id for mail in mails[self._noted[0] :]]
            new_ids += islice(reversed(texts), len(texts) - self._noted[1])
            self._received_at.update(dict.fromkeys(new_ids, now))
            self._noted = [len(mails), len(texts)]

    def _arrival(self, provider_id):
        # Not noted yet: it came in while this page was being read.
        return self._received_at.get(provider_id) or datetime.now(UTC)

    def _mails(self):
        for mail in list(self._sent[0]):
            parsed = message_from_bytes(mail.raw_data.encode(), policy=policy.default)
            yield {
                "channel": "email",
                "recipient": str(parsed["To"] or ", ".join(mail.destinations)),
                "subject": str(parsed["Subject"] or ""),
                "text": _content(parsed, "plain"),
                "html": _content(parsed, "html"),
                "provider_id": mail.id,
                "received_at": self._arrival(mail.id),
            }

    def _texts(self):
        for provider_id, (number, text) in list(self._sent[1].items()):
            yield _plain("sms", number, text, provider_id, self._arrival(provider_id))

    def _documents(self):
        for hook in list(self._hooks.hooks):
            message = _plain("webhook", hook.url, hook.text, hook.id, hook.received_at)
            yield message | {"subject": hook.document["type"]}

    def _pushes(self):
        for key, token, title, text, provider_id in pushes.pushed(self._region):
            yield _plain("push", f"{key} {token[:8]}…", text, provider_id, self._arrival(provider_id)) | {"subject": title}

    def _posts(self):
        for post in list(self._x.posts):
            yield _plain("twitter", "everyone", post.text, post.id, post.created_at)


def read_outbox():
    """What the LocalCloud of this process received, oldest first; nothing when none runs."""
    return current.read() if current else []


@require_safe
def outbox(request):
    """The page. ``?channel=`` filters the list, ``?message=`` names the opened one by ``order``, ``?part=text`` its part.

    404 when no LocalCloud runs in this process.
    """
    messages = _messages_or_404()
    channel, part = request.GET.get("channel", ""), request.GET.get("part", "")
    listed = [message for message in reversed(messages) if channel in ("", message.channel)]
    chosen = {str(message.order): message for message in listed}.get(request.GET.get("message", ""))
    opened = chosen or next(iter(listed), None)
    tabs = [("", "All", len(messages))] + [
        (name, label, sum(message.channel == name for message in messages)) for name, label in CHANNELS.items()
    ]
    context = {
        "messages": listed[:MOST_LISTED],
        "older": max(0, len(listed) - MOST_LISTED),
        "opened": opened,
        # On a small screen the list and the message are two pages, and an address that names none is the list.
        "is_chosen": chosen is not None,
        "channel": channel,
        "part": "text" if opened and (part == "text" or not opened.html) else "html",
        "tabs": tabs,
    }
    return _guarded(render(request, "local/outbox.html", context))


@require_safe
def outbox_json(request):
    """The same messages as a JSON list, oldest first. 404 when no LocalCloud runs in this process."""
    return _guarded(JsonResponse([asdict(message) for message in _messages_or_404()], safe=False))


def _messages_or_404():
    if current is None:
        raise Http404("The outbox is there while the local cloud runs in this process.")
    return current.read()


def _guarded(response):
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def _content(parsed, kind):
    part = parsed.get_body(preferencelist=(kind,))
    return part.get_content() if part is not None else ""


def _plain(channel, recipient, text, provider_id, received_at):
    return {
        "channel": channel,
        "recipient": recipient,
        "subject": "",
        "text": text,
        "html": "",
        "provider_id": provider_id,
        "received_at": received_at,
    }
