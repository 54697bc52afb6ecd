"""The inbox: messages that people read in the site. Written by ``inbox.items``; read by its API and its
stream.

Note [sequences]: each change of an item (new, read, archived) takes the next number of its owner's inbox, and
holds the inbox's row until the commit. So numbers become visible in their order and without gaps, and a
client that has seen number n has seen all up to n: keys, which a slow transaction makes visible late, could
not promise that.
"""

from django.conf import settings
from django.db import models
from django.template.defaultfilters import truncatechars
from django.utils.translation import gettext_lazy as _

from ..templating.safe_links import MAX_ICON_CHARACTERS, MAX_LINK_CHARACTERS
from .consent import Category

# Of an item without a title, the first line of its text is shown as one.
MAX_HEADING_CHARACTERS = 100


class Inbox(models.Model):
    """One person's inbox: the number of its last change. See note [sequences]."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    sequence = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.user_id} at {self.sequence}"


class InboxItem(models.Model):
    """One notification as a person reads it in the site."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, db_index=False, related_name="+", verbose_name=_("user")
    )
    # The delivery that it came from; no constraint, so that old deliveries can go and the item stays.
    delivery = models.BigIntegerField(null=True, unique=True)
    category = models.ForeignKey(
        Category, models.SET_NULL, null=True, related_name="+", verbose_name=_("category")
    )
    title = models.CharField(_("title"), max_length=200)
    text = models.TextField(_("text"), blank=True)
    link = models.CharField(_("link"), max_length=MAX_LINK_CHARACTERS, blank=True)
    # A sign such as 📦, or the address of a small picture.
    icon = models.CharField(_("icon"), max_length=MAX_ICON_CHARACTERS, blank=True)
    # What it is about, as the event has it: "shop.order:5".
    about = models.CharField(_("object"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"))
    read_at = models.DateTimeField(_("read"), null=True)
    archived_at = models.DateTimeField(_("archived"), null=True)
    # When it was shown as one of Django's messages. That is no change of the item: it takes no number.
    surfaced_at = models.DateTimeField(null=True)
    # The inbox's number when it changed last.
    sequence = models.BigIntegerField()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("inbox item")
        verbose_name_plural = _("inbox items")
        constraints = [
            models.UniqueConstraint(fields=["user", "sequence"], name="notifier_one_item_a_change")
        ]
        indexes = [
            models.Index(
                fields=["user", "-id"],
                condition=models.Q(archived_at__isnull=True),
                name="notifier_inbox_list",
            ),
            models.Index(
                fields=["user", "-id"],
                condition=models.Q(read_at__isnull=True, archived_at__isnull=True),
                name="notifier_inbox_unread",
            ),
            models.Index(
                fields=["user", "-id"],
                condition=models.Q(surfaced_at__isnull=True, read_at__isnull=True, archived_at__isnull=True),
                name="notifier_inbox_unsurfaced",
            ),
        ]

    def __str__(self):
        # What it says is its reader's: pages of the admin show this to everybody who may see that there are
        # items.
        return f"#{self.pk}"

    @property
    def heading(self):
        """Its title, or without one what its text begins with."""
        return self.title or truncatechars(self.text.partition("\n")[0], MAX_HEADING_CHARACTERS)

    @property
    def body(self):
        """The text below the heading: without its first line, where that is the heading."""
        heading, _newline, rest = self.text.partition("\n")
        return self.text if self.title or len(heading) > MAX_HEADING_CHARACTERS else rest

    @property
    def has_picture(self):
        """Whether its icon is the address of a picture, not a sign."""
        return self.icon.startswith(("/", "https://", "http://"))
