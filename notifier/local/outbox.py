"""The outbox: everything that the providers’ stand-ins received, to be read as a person would read it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from itertools import islice
from threading import Lock

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends

from notifier.channels import registry

from . import pushes

# Who reads a public post.
EVERYONE = "everyone"

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

    @property
    def label(self):
        return registry.label(self.channel)

    @property
    def mark(self):
        return registry.mark(self.channel)

    @property
    def who(self):
        """The recipient, as a list names it: what is for everybody has none of its own."""
        return self.label if self.recipient == EVERYONE else self.recipient


class Outbox:
    """Reads what moto and the stand-ins for X and for chats keep. moto keeps no times, so :meth:`noting`
    writes them down.
    """

    def __init__(self, *, region, x, chat, hooks, inboxes):
        self._region, self._x, self._chat, self._hooks, self._inboxes = region, x, chat, hooks, inboxes
        self._received_at, self._noted, self._lock, self._since = {}, [0, 0], Lock(), datetime.now(UTC)

    def clear(self):
        """Forget the mails and SMS, and older inbox items; what X and the chats have is their stand-ins'
        own.
        """
        with self._lock:
            self._since = datetime.now(UTC)
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
        found = [
            *self._mails(),
            *self._texts(),
            *self._posts(),
            *self._items(),
            *self._notes(),
            *self._documents(),
            *self._pushes(),
        ]
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
            # Fewer than before: moto was reset.
            new_ids += islice(reversed(texts), max(0, len(texts) - self._noted[1]))
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
            yield _plain("push", f"{key} {token[:8]}…", text, provider_id, self._arrival(provider_id)) | {
                "subject": title
            }

    def _posts(self):
        for post in list(self._x.posts):
            yield _plain("twitter", EVERYONE, post.text, post.id, post.created_at)

    def _notes(self):
        for note in list(self._chat.messages):
            yield _plain("chat", note.room, note.told, note.id, note.created_at) | {"subject": note.title}

    def _items(self):
        """The items that have come into inboxes. They are real ones: no stand-in keeps them, but the
        database.
        """
        if not self._inboxes:
            return
        # Here, as the cloud itself needs neither a database nor Django's apps.
        from django.db import OperationalError, ProgrammingError

        from notifier.models import InboxItem

        found = InboxItem.objects.filter(created_at__gte=self._since).select_related("user").order_by("pk")
        try:
            found = list(found)
        except (OperationalError, ProgrammingError):  # its tables are still to come
            return
        for item in found:
            plain = _plain("inbox", item.user.get_username(), item.text, str(item.pk), item.created_at)
            yield plain | {"subject": item.title}


def _content(parsed, kind):
    part = parsed.get_body(preferencelist=(kind,))
    # From Django 6.0 on a part's last line ends, whoever wrote it.
    return part.get_content().removesuffix("\n") if part is not None else ""


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
