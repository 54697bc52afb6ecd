"""Makes messages of claimed deliveries: event, template and person come together.

Called by ``worker``, which sends them.
"""

import logging
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.db import router

from .. import deliveries
from ..channels import registry
from ..channels.message import Message
from ..channels.recipient import Recipient, user_keys
from ..channels.site_address import link_root
from ..exceptions import DataRefused, NotifierError, Rejected, SendError, TemplateRefused
from ..models import OF_NO_RULE, Event
from ..people.reader_links import make_links, sample_links
from ..rules import audiences, providers
from ..templating import digest_data, rendering
from .claims import Work
from .versions import compiled_version

logger = logging.getLogger(__name__)

# How many events a warm function keeps specialised templates for.
CACHED_EVENTS = 64


def compose_messages(works, channel=""):
    """``[(Work, Message)]`` that can be sent, and ``[(Work, SendError)]`` that cannot.

    One query an event, and one for its people.

    ``channel`` is the one that people can opt out of by what they get. Of works that go in one message, the
    newest stands for all, with the others in it.
    """
    ready = []
    refused: list[tuple[Work, SendError]] = []
    by_content = {}
    root = link_root(channel)
    for work in _gather(works):
        others = tuple(other.event_id for other in work.others)
        by_content.setdefault(
            (work.event_id, work.version_id, work.language, work.time_zone, others, root), []
        ).append(work)
    for key, group in by_content.items():
        try:
            content, about = _content_for(*key, tells_data_apart=registry.tells_data_apart(channel))
        except ObjectDoesNotExist:
            refused += [(work, Rejected("template_deleted")) for work in group]
            continue
        except TemplateRefused as error:
            # It was saved by an older release, which took it.
            refused += [(work, Rejected("template_failed", str(error))) for work in group]
            continue
        people = _people_of(group, content.user_paths)
        users = _users_of(group) if content.own_paths else {}
        with content.in_its_language():
            for work in group:
                try:
                    links = about.links_of(work, channel, content.link_names)
                    person = people.get(work.recipient, {}), users.get(work.recipient)
                    ready.append((work, _compose(work, content, *person, links, about)))
                except SendError as error:
                    refused.append((work, error))
    return ready, refused


def _gather(works):
    """``works`` with those of a digest as one: its newest, which has the others, oldest first."""
    if not any(work.digest for work in works):
        return works
    groups = defaultdict(list)
    for work in sorted(works, key=lambda work: work.event_id):
        groups[(work.subscription_id, work.recipient) if work.digest else work.pk].append(work)
    return [replace(group[-1], others=tuple(group[:-1])) for group in groups.values()]


def _compose(work, content, person, user, links, about):
    if (
        work.attempts > deliveries.MAX_ATTEMPTS
        and (silent := deliveries.count_unanswered(work)) > deliveries.MAX_ATTEMPTS
    ):
        raise Rejected("gave_up", f"Taken up {silent} times without a result.")
    try:
        if isinstance(person, DataRefused):
            raise person
        parts = content.render(person, links, _own(content, user))
    except Exception as error:
        # Whatever a template does, it harms its own deliveries only.
        logger.warning("Delivery %d: its template failed with %s", work.pk, type(error).__name__)
        # A filter's own words may hold what it was given, a name or an address; ours never do.
        detail = str(error) if isinstance(error, NotifierError) else type(error).__name__
        raise Rejected("template_failed", detail) from error
    return Message(
        delivery=work.pk, attempt=work.attempts, address=work.address, recipient=work.recipient,
        event=work.event_id, unsubscribe_url=links["unsubscribe_url"] if about.can_be_left else "", **parts,
    )  # fmt: skip


@dataclass(frozen=True)
class About:
    """The subject of an event, as far as its readers' links say it.

    A test is an editor's own: its links are samples.
    """

    category: int | None
    is_mandatory: bool
    is_test: bool

    @property
    def can_be_left(self):
        return not self.is_mandatory and not self.is_test

    def links_of(self, work, channel, names):
        if self.is_test:
            return sample_links()
        names = {*names, "unsubscribe_url"} if self.can_be_left else names
        return make_links(names, work.recipient, work.pk, category=self.category, channel=channel)


@lru_cache(maxsize=CACHED_EVENTS)
def _content_for(event_id, version_id, language, time_zone, others, root, *, tells_data_apart):
    columns = ("data", "category_id", "category__mandatory", "trigger_id")
    found = {
        pk: rest for pk, *rest in Event.objects.filter(pk__in=[*others, event_id]).values_list("pk", *columns)
    }
    if event_id not in found:
        raise Event.DoesNotExist
    data = digest_data.gathered([found[pk][0] for pk in (*others, event_id) if pk in found])
    _data, category, is_mandatory, trigger = found[event_id]
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
    return content, About(category, bool(is_mandatory), trigger == OF_NO_RULE)


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
