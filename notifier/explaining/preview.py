"""Previews what a template would send, before it is saved: rendered, and examined by its channel.

Calls ``templating.contents`` and ``channels.registry``.
"""

from dataclasses import dataclass, field, replace

from django.db import router

from .. import deliveries
from ..channels import registry
from ..channels.message import Examination, Message, Problem
from ..channels.site_address import link_root, site_address
from ..exceptions import DataRefused, ProviderFailed, TemplateRefused
from ..models import ContentVersion, Event, Subscription
from ..people.addresses import place_of
from ..people.reader_links import sample_links
from ..rules import audiences, providers
from ..templating import digest_data, rendering
from ..templating.contents import PARTS
from ..templating.data import AT_RENDERING
from . import samples
from .preview_problems import Fault, left_over, unchecked_names, unknown_names

# So many of the newest events are looked through for those of one template: there is no index by template.
MOST_SEARCHED = 10_000
EVENTS_OFFERED = 10
# So many events a previewed digest has.
DIGEST_SHOWN = 3
TEST_MARK = "[Test] "
NO_LINK = Problem(
    part="link",
    text=(
        "This is no link: it comes out neither as a path of this site, such as /orders/5/, nor as "
        "an http or https address."
    ),
)
NO_ADDRESS = {
    part: Problem(
        part=part,
        text=(
            "It has links to the site without its address: elsewhere they lead nowhere. Set "
            'NOTIFIER["BASE_URL"].'
        ),
    )
    for part in PARTS
}


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The result of a content as it is typed: nothing where there are ``errors``.

    ``made_up``: names that the event does not hold.
    """

    parts: dict = field(default_factory=lambda: dict.fromkeys(PARTS, ""))
    errors: list = field(default_factory=list)
    examination: Examination = Examination()
    made_up: list = field(default_factory=list)
    data: dict = field(default_factory=dict)
    paths: dict = field(default_factory=dict)


def triggers_of(template_id, channel=None):
    """The triggers that send a template, by name; only those that do so by ``channel``, if given."""
    if template_id is None:
        return []
    found = (
        Subscription.objects.filter(template=template_id).select_related("trigger").order_by("trigger__name")
    )
    return list(dict.fromkeys(each.trigger for each in found if channel is None or channel in each.channels))


def recent_events(template_id):
    """The last events of the triggers that send a template, newest first."""
    triggers = triggers_of(template_id)
    newest = Event.objects.order_by("-pk").values_list("pk", flat=True).first()
    if not triggers or newest is None:
        return []
    recent = Event.objects.filter(trigger__in=triggers, pk__gt=newest - MOST_SEARCHED)
    found = recent.filter(emptied_at__isnull=True).exclude(status=Event.Status.FAILED)
    return list(found.order_by("-pk")[:EVENTS_OFFERED])


def preview(content, *, event=None, person=None):
    """The Preview of ``content``, saved or not, from the data of ``event`` and for the user ``person``, or
    from made-up ones.
    """
    triggers = triggers_of(content.template_id, content.channel)
    paths = {}
    try:
        compiled = content.compile()
        paths = compiled.paths
        if faults := unknown_names(content, compiled, triggers):
            return Preview(errors=faults, paths=paths)
        own_names = _own_names(content)
        of_event = digest_data.folded(paths)
        read = {name: branch for name, branch in of_event.items() if name not in AT_RENDERING | own_names}
        its_own = [trigger for trigger in triggers if event and trigger.pk == event.trigger_id]
        sample = samples.sample_data(read, next(iter(its_own or triggers), None))
        data, made_up = samples.fill(event.data, sample) if event else (sample, [])
        if digest_data.EVENTS in paths:
            data = _digest(event, data, sample)
        own = _own(event and person, data, {name: paths[name] for name in own_names & paths.keys()})
        reader = _person(person, paths.get("user", {}))
        parts = _render(content, data, reader, own, link_root(content.channel))
        relative = _leads_nowhere(content, data, reader, own, parts)
    except (ProviderFailed, DataRefused) as error:
        return Preview(errors=[Fault(part="text", text=str(error), is_error=True)], paths=paths)
    except TemplateRefused as error:
        fault = Fault(part=error.part or "text", text=str(error), is_error=True, line=error.line)
        return Preview(errors=[fault], paths=paths)
    address = own_address(person, content.channel) if person else ""
    message = Message(delivery=0, attempt=1, address=address, **parts)
    examination = registry.examine(content.channel, message) if content.channel else Examination()
    noted = (*left_over(parts), *relative, *unchecked_names(compiled, triggers))
    examination = replace(examination, problems=(*examination.problems, *noted))
    # Made-up words are seldom an address; an event's own, or what is the same for everybody, must be one.
    if compiled.link and not parts["link"] and (event or not compiled.link.paths):
        examination = replace(examination, problems=(*examination.problems, NO_LINK))
    return Preview(parts=parts, examination=examination, made_up=made_up, data=data, paths=paths)


def lint(content):
    """``(errors, warnings)`` as Problems of ``content`` on made-up data.

    What its channel would refuse is an error only where nothing of the text depends on an event or a person;
    else it may as well fit.
    """
    found = preview(content)
    problems = found.examination.problems
    errors = [*found.errors, *(each for each in problems if each.is_error and not found.paths)]
    return errors, [each for each in problems if each not in errors]


def own_address(user, channel):
    """The address of ``user`` on ``channel``; blank without one, or while it is not verified."""
    place = place_of(user, channel)
    return place.address if place.is_verified else ""


def send_to(user, content, found, address):
    """Queue ``found``, the Preview of ``content``, to ``user`` alone; returns the Delivery.

    See ``deliveries.queue_test``.
    """
    columns = content.version_columns(content.compile())
    marked = f"{TEST_MARK}{columns['subject']}"
    if columns["subject"] and len(marked) <= ContentVersion._meta.get_field("subject").max_length:
        columns["subject"] = marked
    version = ContentVersion.objects.create(number=0, **columns, author=user.get_username())
    about = f"notifier.template:{content.template_id}" if content.template_id else ""
    return deliveries.queue_test(
        user,
        channel=content.channel,
        address=address,
        language=content.language,
        version=version,
        data=found.data,
        about=about,
    )


def _own_names(content):
    return providers.personal_names(content.template.providers if content.template_id else ())


def _own(person, data, tree):
    """What context providers add for ``person``, or made-up values where that or the event is made up."""
    if not person:
        return samples.sample_data(tree)
    return providers.for_person(person, data, tree, using=router.db_for_write(Event))


def _leads_nowhere(content, data, user, own, parts):
    """A Problem for each part with paths of the site in it, where they would leave it without its address."""
    if site_address() or (content.channel and registry.is_read_in_the_site(content.channel)):
        return []
    whole = _render(content, data, user, own, "https://site.invalid")
    return [NO_ADDRESS[part] for part, text in parts.items() if text != whole[part]]


def _render(content, data, user, own, root):
    parts = dict(zip(PARTS, content.sources(), strict=True))
    template = content.template if content.template_id else None
    return rendering.render_unsaved(
        parts, template=template, channel=content.channel, language=content.language, book=content.book(),
        data=data, user=user, links=sample_links(), own=own, root=root,
    )  # fmt: skip


def _digest(event, data, sample):
    """``data`` as the newest of a digest: after those of the events before it, or a made-up one."""
    before = (
        Event.objects.filter(trigger=event.trigger_id, pk__lt=event.pk).order_by("-pk")[: DIGEST_SHOWN - 1]
        if event
        else ()
    )
    found = [samples.fill(each.data, sample)[0] for each in reversed(before)] if event else [sample]
    return digest_data.gathered([*found, data])


def _person(user, tree):
    sample = samples.sample_person(tree)
    return audiences.read_people([user.pk], tree).get(user.pk, sample) if user else sample
