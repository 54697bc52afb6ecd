"""Makes messages of claimed deliveries: event, template and person come together.

Called by ``worker``, which sends them.
"""

import datetime as dt
import logging
from collections import defaultdict
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property, lru_cache

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, router

from .. import deliveries
from ..channels import registry
from ..channels.message import Message
from ..channels.recipient import Recipient, user_keys
from ..channels.site_address import link_root
from ..events.causes import caused_by
from ..exceptions import DataRefused, NotifierError, Rejected, SendError, TemplateRefused
from ..models import OF_NO_RULE, Event
from ..observing import log_failure
from ..people.reader_links import ReaderLinks, sample_links
from ..rules import audiences, providers
from ..templating import digest_data, rendering
from .versions import compiled_version

logger = logging.getLogger(__name__)

# How many events a warm function keeps specialised templates for.
CACHED_EVENTS = 64


class Composer:
    """Makes the messages of ``works``, each when it is to be sent and not before.

    So what a template does, or fails to do, comes after all that was sent before it. ``works``: those to
    compose, in the order to do it in, what shares a content together; of those that go in one message, the
    newest stands for all, with the others in it. With the first of each content one query reads its event,
    and one its people. ``channel`` is the one that people can opt out of by what they get.
    """

    def __init__(self, works, channel=""):
        root, groups = link_root(channel), {}
        for work in _gather(works):
            others = tuple(other.event_id for other in work.others)
            key = (work.event_id, work.version_id, work.language, work.time_zone, others, root)
            groups.setdefault(key, _Group(key, channel)).works.append(work)
        self.works = [work for group in groups.values() for work in group.works]
        self._stack = self._spoken = None
        # A group goes with its last work.
        self._groups = {work.pk: group for group in groups.values() for work in group.works}

    def compose(self, work):
        """The Message of a work, once, within its ``caused_by``. Raises SendError where it cannot be sent."""
        return self._groups.pop(work.pk).compose(work, self._in_language_of)

    @contextmanager
    def together(self):
        """Inside it, a language stays from one message to the next: to ask for it costs as much as a short
        one.
        """
        with ExitStack() as self._stack:
            yield
        self._stack = self._spoken = None

    def _in_language_of(self, content):
        if self._stack is None:
            return content.in_its_language()
        if content is not self._spoken:
            self._stack.close()
            self._stack.enter_context(content.in_its_language())
            self._spoken = content
        return nullcontext()


def compose_messages(works, channel=""):
    """``[(Work, Message)]`` that can be sent, and ``[(Work, SendError)]`` that cannot, of all at once."""
    composer, ready, refused = Composer(works, channel), [], []
    for work in composer.works:
        try:
            with caused_by(*work.event_ids):
                ready.append((work, composer.compose(work)))
        except SendError as error:
            refused.append((work, error))
    return ready, refused


def _gather(works):
    """``works`` with those of a digest as one: its newest, which has the others, oldest first.

    What is to be given up takes nobody along that has joined since.
    """
    if not any(work.digest for work in works):
        return works
    groups = defaultdict(list)
    for work in sorted(works, key=lambda work: work.event_id):
        together = work.digest and not _silent_ends(work)
        groups[(work.subscription_id, work.recipient) if together else work.pk].append(work)
    for *others, newest in groups.values():
        newest.others = tuple(others)
    return [group[-1] for group in groups.values()]


def _silent_ends(work):
    """How often a delivery was taken up without a result, if that is once too often; else 0."""
    if work.attempts <= deliveries.MAX_ATTEMPTS:
        return 0
    silent = deliveries.count_unanswered(work)
    return silent if silent > deliveries.MAX_ATTEMPTS else 0


class _Group:
    """What shares a content. All that it needs is read with its first message."""

    def __init__(self, key, channel):
        self.works = []
        self._key, self._channel = key, channel

    def compose(self, work, in_language_of):
        if silent := _silent_ends(work):
            raise Rejected("gave_up", f"Taken up {silent} times without a result.")
        if isinstance(found := self._prepared, SendError):
            raise found
        content, about, people, users, links_of = found
        with in_language_of(content):
            links = links_of(work.recipient, work.pk)
            parts = _render(work, content, people.get(work.recipient, {}), users.get(work.recipient), links)
        return Message(
            delivery=work.pk, attempt=work.attempts, address=work.address, recipient=work.recipient,
            event=work.event_id, verb=about.verb, recorded_at=about.recorded_at,
            unsubscribe_url=links["unsubscribe_url"] if about.can_be_left else "",
            **parts,
        )  # fmt: skip

    @cached_property
    def _prepared(self):
        """The content, what it is about, its people, users and links; or why none of it can be sent."""
        try:
            content, about = _content_for(
                *self._key, tells_data_apart=registry.tells_data_apart(self._channel)
            )
            people = _people_of(self.works, content.user_paths)
            users = _users_of(self.works) if content.own_paths else {}
            return content, about, people, users, about.links_of(self._channel, content.link_names)
        except ObjectDoesNotExist:
            return Rejected("template_deleted")
        except TemplateRefused as error:
            # It was saved by an older release, which took it.
            return Rejected("template_failed", str(error))
        except DatabaseError:
            raise
        except Exception as error:
            log_failure(logger, "What the messages of event %d need could not be read", self._key[0])
            return Rejected("template_failed", type(error).__name__)


def _render(work, content, person, user, links):
    try:
        if isinstance(person, DataRefused):
            raise person
        return content.render(person, links, _own(content, user))
    except Exception as error:
        # Whatever a template does, it harms its own deliveries only.
        logger.warning("Delivery %d: its template failed with %s", work.pk, type(error).__name__)
        # A filter's own words may hold what it was given, a name or an address; ours never do.
        detail = str(error) if isinstance(error, NotifierError) else type(error).__name__
        raise Rejected("template_failed", detail) from error


@dataclass(frozen=True)
class About:
    """The subject of an event, as far as its messages and their readers' links say it.

    A test is an editor's own: its links are samples.
    """

    category: int | None
    is_mandatory: bool
    is_test: bool
    verb: str
    recorded_at: dt.datetime

    @property
    def can_be_left(self):
        return not self.is_mandatory and not self.is_test

    def links_of(self, channel, names):
        """A function of a recipient and a delivery's key, which gives their links."""
        if self.is_test:
            return lambda _recipient, _delivery: sample_links()
        names = {*names, "unsubscribe_url"} if self.can_be_left else names
        return ReaderLinks(names, category=self.category, channel=channel).of


@lru_cache(maxsize=CACHED_EVENTS)
def _content_for(event_id, version_id, language, time_zone, others, root, *, tells_data_apart):
    columns = ("data", "category_id", "category__mandatory", "trigger_id", "verb", "created_at")
    found = {
        pk: rest for pk, *rest in Event.objects.filter(pk__in=[*others, event_id]).values_list("pk", *columns)
    }
    if event_id not in found:
        raise Event.DoesNotExist
    data = digest_data.gathered([found[pk][0] for pk in (*others, event_id) if pk in found])
    _data, category, is_mandatory, trigger, verb, recorded_at = found[event_id]
    compiled = compiled_version(version_id)
    own_names = (providers.personal_names() & compiled.paths.keys()) - data.keys()
    content = rendering.EventContent(
        compiled,
        data,
        language=language,
        time_zone=time_zone,
        own_names=own_names,
        tells_data_apart=tells_data_apart,
        root=root,
    )
    about = About(category, bool(is_mandatory), trigger == OF_NO_RULE, verb=verb, recorded_at=recorded_at)
    return content, about


def _own(content, user):
    """What context providers add for one user; nothing for a plain address, who is nobody."""
    if user is None:
        return {}
    return providers.for_person(user, content.data, content.own_paths, using=router.db_for_write(Event))


def _users_of(works):
    """The user behind each recipient who is one: recipient → user."""
    found = get_user_model()._default_manager.in_bulk(user_keys(works))
    return {str(Recipient.of_user(key)): user for key, user in found.items()}


def _people_of(works, tree):
    """The data that the template reads of each recipient who is a user: recipient → frozen data, or the
    DataRefused of one of whom it reads too much.
    """
    refused = {}
    found = audiences.read_people(user_keys(works), tree, refused=refused) | refused
    return {str(Recipient.of_user(key)): person for key, person in found.items()}


def forget():
    """Drop what is kept per event. For tests, whose databases give the same keys to other events."""
    _content_for.cache_clear()
    compiled_version.cache_clear()
