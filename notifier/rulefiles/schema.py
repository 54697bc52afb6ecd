"""The keys that a file of rules may hold, the model's field behind each, and its default.

Nothing that differs by nature between two databases is in it: no ids, no dates, no versions, and no people.
"""

from dataclasses import dataclass

from ..models import Lane

# Of the format. Raise it when an older `import` would misread a newer file.
FORMAT_VERSION = 1
HEAD = """\
# The rules of this project's notifications: whom (audiences), what (templates), when (triggers).
# Written by `manage.py rules export`; `rules diff` and `rules import` read it. Names are the keys, and what \
is
# left out has its default. People are not in here: choose them in the admin, or by a group.
"""


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of a row.

    ``kind``: ``text``, ``flag``, ``number`` (whole, from ``least`` on), ``lines`` (texts of which the field
    keeps one a line), ``names``, ``set`` (names whose order means nothing), ``lane`` (its word) or ``rows``.
    ``field``: the model's, where it has another name.
    """

    name: str
    kind: str = "text"
    field: str = ""
    default: str | bool | int | None = ""
    required: bool = False
    rows: tuple["Key", ...] = ()
    least: int = 1

    def empty(self):
        """The value that is meant where the key is left out."""
        return [] if self.kind in ("lines", "names", "set", "rows") else self.default

    @property
    def column(self):
        return self.field or self.name


CATEGORY = (
    Key(name="title", required=True),
    Key(name="description"),
    Key(name="mandatory", kind="flag", default=False),
    Key(name="lane", kind="lane", default=Lane.NORMAL.word),
    Key(name="position", kind="number", least=0, default=0),
)
AUDIENCE = (
    Key(name="everyone", kind="flag", default=False),
    Key(name="groups", kind="set"),
    Key(name="paths", kind="lines"),
    Key(name="functions", kind="set", field="callables"),
    Key(name="addresses", kind="lines"),
)
CONTENT = (
    Key(name="channel", required=True),
    Key(name="language"),
    Key(name="file"),
    Key(name="subject"),
    Key(name="text"),
    Key(name="html"),
    Key(name="link"),
    Key(name="icon"),
)
TEMPLATE = (
    Key(name="description"),
    Key(name="providers", kind="names"),
    Key(name="contents", kind="rows", rows=CONTENT),
)
SUBSCRIPTION = (
    Key(name="template", required=True),
    Key(name="channels", kind="names", required=True),
    Key(name="audiences", kind="set", required=True),
    Key(name="order", default="all"),
    Key(name="wait_minutes", kind="number", default=None),
    Key(name="throttle_number", kind="number", default=None),
    Key(name="throttle_minutes", kind="number", default=None),
    Key(name="cooldown_minutes", kind="number", default=None),
    Key(name="digest_minutes", kind="number", default=None),
    Key(name="enabled", kind="flag", default=True),
)
# Not `on`, which YAML's older readers take for `true`.
TRIGGER = (
    Key(name="signal", field="verb", required=True),
    Key(name="model"),
    Key(name="instance", field="object_pk"),
    Key(name="saved", field="on", default="any"),
    Key(name="condition"),
    Key(name="actor", field="actor_model"),
    Key(name="actor_instance", field="actor_pk"),
    Key(name="target"),
    Key(name="category"),
    Key(name="lane", kind="lane"),
    Key(name="delay_minutes", kind="number", default=None),
    Key(name="expires_minutes", kind="number", default=None),
    Key(name="enabled", kind="flag", default=True),
    Key(name="shadow", kind="flag", default=False),
    Key(name="subscriptions", kind="rows", rows=SUBSCRIPTION),
)
SECTIONS = {"categories": CATEGORY, "audiences": AUDIENCE, "templates": TEMPLATE, "triggers": TRIGGER}
# One row of each, in a sentence.
SINGULAR = {"categories": "category", "audiences": "audience", "templates": "template", "triggers": "trigger"}
LANES = {lane.word: lane for lane in Lane}
# What somebody may look for, and where it is.
HINTS = {
    "users": (
        "People are not kept in files: they are personal data, and differ from stage to stage. Use "
        "a group, or the admin."
    ),
    "verb": "Write signal.",
    "on": "Write saved: created, updated or any.",
    "object_pk": "Write instance.",
    "callables": "Write functions.",
    "id": "Rows are found by their names.",
    "pk": "Rows are found by their names.",
}


def normal_text(text):
    """``text`` with the line breaks of a file. A browser's form sends ``\\r\\n``."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def content_key(content):
    return content["channel"], content["language"]


def subscription_key(subscription):
    return subscription["template"], *sorted(subscription["audiences"])


def subscription_order(subscription):
    return (
        subscription["template"],
        sorted(subscription["audiences"]),
        sorted(subscription["channels"]),
        subscription["enabled"],
    )
