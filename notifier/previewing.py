"""What a template would send, before it is saved: rendered, and examined by its channel. Next hop: ``contents``, ``channels``."""

from dataclasses import dataclass, field

from django.contrib.auth import get_user_model

from . import audiences, channels, conf, contents, deliveries, readable, sampling
from .channels import Examination, Message, Problem
from .exceptions import NotifierError, TemplateRefused, UnreadablePath
from .models import ContactPoint, ContentVersion, Event, Trigger

# So many of the newest events are looked through for those of one template: there is no index by template.
MOST_SEARCHED = 10_000
EVENTS_OFFERED = 10
PARTS = ("subject", "text", "html")
TEST_MARK = "[Test] "


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A content as it stands in the editor."""

    template: object = None
    channel: str = ""
    language: str = ""
    file: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""

    @classmethod
    def of(cls, content):
        names = ("template", "channel", "language", "file", *PARTS)
        return cls(
            **{name: getattr(content, name, None) if name != "template" or content.template_id else None for name in names}
        )


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What came of a Draft. Where ``errors`` are, nothing could be rendered. ``made_up``: names that the event does not hold."""

    parts: dict = field(default_factory=lambda: dict.fromkeys(PARTS, ""))
    errors: list = field(default_factory=list)
    examination: Examination = Examination()
    made_up: list = field(default_factory=list)
    data: dict = field(default_factory=dict)
    paths: dict = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Fault(Problem):
    """A Problem that stops the rendering, on ``line`` of its part where that is known."""

    line: int | None = None


def triggers_of(template, channel=None):
    """The triggers that send ``template``, by name; only those that do so by ``channel``, if given."""
    if template is None or template.pk is None:
        return []
    found = Trigger.objects.filter(subscriptions__template=template).prefetch_related("subscriptions").distinct()
    return [
        trigger
        for trigger in found.order_by("name")
        if channel is None
        or any(channel in each.channels for each in trigger.subscriptions.all() if each.template_id == template.pk)
    ]


def recent_events(template):
    """The last events of the triggers that send ``template``, newest first."""
    triggers = triggers_of(template)
    newest = Event.objects.order_by("-pk").values_list("pk", flat=True).first()
    if not triggers or newest is None:
        return []
    found = Event.objects.filter(trigger__in=triggers, pk__gt=newest - MOST_SEARCHED).exclude(status=Event.Status.FAILED)
    return list(found.order_by("-pk")[:EVENTS_OFFERED])


def preview(draft, *, event=None, person=None):
    """The Preview of ``draft``, from the data of ``event`` or made-up data, for the user ``person`` or a made-up one."""
    triggers = triggers_of(draft.template, draft.channel)
    try:
        paths = _paths_of(draft)
    except TemplateRefused as error:
        return Preview(errors=[Fault(part=error.part or "text", text=str(error), is_error=True, line=error.line)])
    if faults := _unknown_names(draft, triggers):
        return Preview(errors=faults, paths=paths)
    read = {name: branch for name, branch in paths.items() if name != "user"}
    of_event = [trigger for trigger in triggers if event and trigger.pk == event.trigger_id]
    sample = sampling.sample_data(read, next(iter(of_event or triggers), None))
    data, made_up = sampling.fill(event.data, sample) if event else (sample, [])
    try:
        parts = _render(draft, data, _person(person, paths.get("user", {})))
    except Exception as error:
        # Whatever a template does, its editor is to read it, not the log.
        text = str(error) if isinstance(error, NotifierError) else f"It cannot be rendered: {type(error).__name__}."
        return Preview(errors=[Fault(part="html" if draft.html else "text", text=text, is_error=True)], paths=paths)
    address = own_address(person, draft.channel) if person else ""
    message = Message(delivery=0, attempt=1, address=address, **parts)
    return Preview(parts=parts, examination=channels.examine(draft.channel, message), made_up=made_up, data=data, paths=paths)


def lint(draft):
    """``(errors, warnings)`` as Problems of ``draft`` on made-up data.

    What its channel would refuse is an error only where nothing of the text depends on an event or a person; else it may as well fit.
    """
    found = preview(draft)
    problems = found.examination.problems
    errors = [*found.errors, *(each for each in problems if each.is_error and not found.paths)]
    return errors, [each for each in problems if each not in errors]


def own_address(user, channel):
    """The address of ``user`` on ``channel``, as a fan-out would find it; blank without one."""
    point = ContactPoint.objects.filter(user=user, channel=channel).values_list("address", "verified").first()
    if point:
        return point[0].strip() if point[1] else ""
    if not (path := conf.get("ADDRESSES").get(channel)):
        return ""
    column = path.replace(".", "__")
    found = get_user_model()._default_manager.filter(pk=user.pk).values_list(column, flat=True).first()
    return str(found or "").strip()


def send_to(user, draft, found, address):
    """Queue ``found``, the Preview of ``draft``, to ``user`` alone; returns the Delivery. See ``deliveries.queue_test``."""
    subject = f"{TEST_MARK}{draft.subject}" if draft.subject else ""
    limit = ContentVersion._meta.get_field("subject").max_length
    version = ContentVersion.objects.create(
        number=0,
        subject=subject if len(subject) <= limit else draft.subject,
        text=draft.text,
        html=draft.html,
        text_from_html=contents.text_template(draft.text, draft.html),
        paths=found.paths,
        author=user.get_username(),
    )
    label = f"notifier.template:{draft.template.pk}" if draft.template else ""
    return deliveries.queue_test(
        user, channel=draft.channel, address=address, language=draft.language, version=version, data=found.data, about=label
    )


def _paths_of(draft):
    return contents.compile_content(draft.subject, draft.text, draft.html).paths


def _render(draft, data, user):
    """The parts as they would be sent. A blank text is made from the rendered HTML, which gives what its own template would."""
    compiled = contents.compile_content(draft.subject, draft.text, draft.html)
    if draft.html and not draft.text.strip():
        compiled = contents.CompiledContent(subject=compiled.subject, text=None, html=compiled.html)
    return contents.EventContent(compiled, data).render(user)


def _person(user, tree):
    sample = sampling.sample_person(tree)
    return audiences.read_people([user.pk], tree).get(user.pk, sample) if user else sample


def _unknown_names(draft, triggers):
    """What each trigger's events cannot give, at the part that names it."""
    found = []
    for part in PARTS:
        paths = contents.compile_part(getattr(draft, part), html=part == "html").paths
        for trigger in triggers:
            try:
                readable.check_paths(paths, trigger)
            except UnreadablePath as error:
                found.append(Fault(part=part, text=f"{error} (Trigger “{trigger}”.)", is_error=True))
    return found
