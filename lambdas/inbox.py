"""Notifications that people read in the site. Calls ``notifier.inbox``, whose API and stream their browsers
ask.
"""

# First of all: it sets Django up, which the inbox's models need.
from ._handler import make_handler  # isort: split

from django.contrib.auth import get_user_model

from notifier.channels.message import Examination, Message, Problem
from notifier.channels.recipient import Recipient
from notifier.exceptions import Rejected, Skipped
from notifier.inbox.items import MAX_TITLE_CHARACTERS, add_item
from notifier.models import Event

# Fifty of them are one answer of the API, whose function may say 6 MB:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_TEXT_CHARACTERS = 10_000
# Each copy of the function works on the database alone, and more of them would only wait for it.
MAXIMUM_CONCURRENCY = 4
# It writes to the database, which one thread of a function has.
CONCURRENCY = 1
# Nothing but the database is called, and its own time-outs end that.
CONNECT_SECONDS = READ_SECONDS = 0

# What people read for it; `notifier.channels.registry` finds these without importing this file.
LABEL = "Inbox"
VERB = "show in the inbox of"
WAY = "in the inbox"
MARK = "✉"
# Everybody has an inbox: it is found by the person's key.
ADDRESS = "pk"
PARTS = ("subject", "text", "link", "icon")
# It waits to be looked at, and then it is known that it was.
DISTURBS = False
READ_IN_THE_SITE = True


def send(message: Message, _session: None) -> str:
    """Put one item into its reader's inbox; return its id. The same delivery again is the same item.

    So a crash between the item and the delivery's record costs nothing: the delivery is sent again, and finds
    it.
    """
    recipient = Recipient.parse(message.recipient)
    if not recipient.is_user:
        raise Skipped("invalid_address", "Only users have an inbox.")
    title, text = message.subject, message.text.strip()
    if not title and not text:
        raise Rejected("empty")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise Rejected("too_long", f"{len(text):,} characters; an item has up to {MAX_TEXT_CHARACTERS:,}.")
    try:
        about, category = Event.objects.values_list("action_object", "category_id").get(pk=message.event)
        item = add_item(
            recipient.user_key, delivery=message.delivery, title=title, text=text, link=message.link,
            icon=message.icon, about=about, category_id=category,
        )  # fmt: skip
    except get_user_model().DoesNotExist:
        raise Skipped("user_deleted") from None
    return str(item.pk)


def examine(message: Message) -> Examination:
    """The item as it will show, and what it will not. Pure; never raises."""
    problems, length = [], len(message.text.strip())
    if not message.subject.strip() and not length:
        problems.append(Problem(part="text", text="The item is empty.", is_error=True))
    elif not message.subject.strip():
        problems.append(
            Problem(part="subject", text="There is no title: the list shows the text’s first line instead.")
        )
    if len(message.subject) > MAX_TITLE_CHARACTERS:
        problems.append(
            Problem(part="subject", text=f"The title is cut after {MAX_TITLE_CHARACTERS} characters.")
        )
    if length > MAX_TEXT_CHARACTERS:
        problems.append(
            Problem(
                part="text",
                text=f"The text is too long: an item has up to {MAX_TEXT_CHARACTERS:,} characters.",
                is_error=True,
            )
        )
    if message.html.strip():
        problems.append(
            Problem(part="html", text="An inbox shows text alone: HTML is only what the text is made from.")
        )
    return Examination(
        look="inbox", parts=PARTS, problems=tuple(problems),
        length=length, limit=MAX_TEXT_CHARACTERS, unit="characters",
    )  # fmt: skip


handler = make_handler(send, at_most_once=False, horizon_hours=24, concurrency=CONCURRENCY)
