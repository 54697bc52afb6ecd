"""System checks: settings and parts that are missing before anything can be sent (``manage.py check
--deploy``).
"""

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.db import DatabaseError, router

from .. import conf
from ..channels import registry
from ..channels.address_paths import read_address
from ..channels.site_address import site_address
from ..events import silent_checks  # noqa: F401 - importing registers them
from ..explaining import gone
from ..gates import allow_list
from ..models import TemplateContent, Trigger
from ..operations import template_files
from ..rulefiles import declared_checks  # noqa: F401 - importing registers them
from ..templating import readable
from ..templating.safe_links import checked_link
from . import middleware, never, sending  # noqa: F401 - importing registers them


@checks.register(checks.Tags.compatibility)
def check_settings(**_options):
    """The setting itself: unknown names, channels that do not exist."""
    configured = getattr(settings, "NOTIFIER", {})
    problems = [
        checks.Error(
            f"NOTIFIER has an unknown setting: {name}.",
            hint=f"Known: {', '.join(conf.DEFAULTS)}.",
            id="notifier.E001",
        )
        for name in sorted(configured.keys() - conf.DEFAULTS.keys())
    ]
    known = registry.channel_names() if not problems else []
    problems += [
        checks.Error(
            f"{setting} is {value!r}{what}",
            hint='Name a field of it, or one over a relation, such as "profile.language". '
            'An address may have a text around it: "telegram:{profile.chat}".',
            id="notifier.E012",
        )
        for setting, value, what in ([] if problems else _wrong_paths())
    ]
    return problems + [
        checks.Warning(
            f'NOTIFIER["ADDRESSES"] names the channel {name}, which does not exist.',
            hint=f"There are: {', '.join(known)}.",
            id="notifier.W002",
        )
        # Not what they are by default, which nobody has written.
        for name in sorted(configured.get("ADDRESSES", ()))
        if known and name not in known
    ]


@checks.register(checks.Tags.compatibility)
def check_ages(**_options):
    """Ages after which data go: whole days, and records no shorter than what they say."""
    names = ("KEEP_CONTENTS_DAYS", "KEEP_RECORDS_DAYS")
    contents, records = (getattr(settings, "NOTIFIER", {}).get(name, conf.DEFAULTS[name]) for name in names)
    problems = [
        checks.Error(
            f'NOTIFIER["{name}"] is {days!r}.',
            hint="Write a number of days above 0, or None to keep it for ever.",
            id="notifier.E009",
        )
        for name, days in zip(names, (contents, records), strict=True)
        if days is not None and (type(days) is not int or days < 1)
    ]
    if not problems and contents and records and records < contents:
        problems.append(
            checks.Error(
                f'NOTIFIER["KEEP_RECORDS_DAYS"] is {records}, less than KEEP_CONTENTS_DAYS, {contents}.',
                hint="A record that is removed takes along what it says. Give records at least as many days.",
                id="notifier.E009",
            )
        )
    return problems


@checks.register(checks.Tags.compatibility)
def check_allow_list(**_options):
    """The allow-list: patterns that nothing could match."""
    patterns = getattr(settings, "NOTIFIER", {}).get("DELIVER_ONLY_TO")
    if patterns is None:
        return []
    if not isinstance(patterns, list | tuple):
        hint = "Write a list of patterns, or None for everybody."
        return [checks.Error('NOTIFIER["DELIVER_ONLY_TO"] is not a list.', hint=hint, id="notifier.E008")]
    return [
        checks.Error(
            f'NOTIFIER["DELIVER_ONLY_TO"]: nothing is like {pattern!r}.', hint=problem, id="notifier.E008"
        )
        for pattern in patterns
        if (problem := allow_list.problem_with(pattern))
    ]


def _wrong_paths():
    """``(setting, value, what is wrong)`` of paths on the user model."""
    found = [(f'NOTIFIER["{name}"]', conf.get(name)) for name in ("LANGUAGE", "TIME_ZONE") if conf.get(name)]
    for channel, value in registry.addresses().items():
        setting = f'NOTIFIER["ADDRESSES"]["{channel}"]'
        try:
            found += [(setting, path) for _text, path in read_address(value) if path]
        except ValueError as error:
            yield setting, value, f". {error}"
    for setting, path in found:
        if not _leads_to_field(path):
            yield setting, path, ", and the user model has nothing there."


def _leads_to_field(path):
    """Tell whether a path leads from the user model over relations to one person's field."""
    model = get_user_model()
    *relations, last = str(path).split(".")
    for name in relations:
        relation = readable.single_relation(model, name)
        if relation is None:
            return False
        model = relation.related_model
    # `pk` is a name of whichever field it is.
    return (
        last == "pk"
        or readable.single_relation(model, last) is not None
        or any(last == field.name for field in model._meta.concrete_fields)
    )


@checks.register(checks.Tags.compatibility)
def check_site_address(**_options):
    """The site's address: links in messages begin with it."""
    base, address = conf.get("BASE_URL"), site_address()
    if not base or ("://" in address and checked_link(address) and not {"?", "#"} & set(base)):
        return []
    return [
        checks.Error(
            f'NOTIFIER["BASE_URL"] is {base!r}, which no link can begin with.',
            hint="Write it with its scheme and host, such as https://shop.example.com.",
            id="notifier.E020",
        )
    ]


@checks.register(checks.Tags.database)
def check_files(databases=None, **_options):
    """Template files that a content names and that cannot be used: its last version goes on."""
    if router.db_for_read(TemplateContent) not in (databases or ()):
        return []
    try:
        found = template_files.problems()
    except DatabaseError:  # its tables are still to come
        return []
    return [
        checks.Warning(
            f"The template “{content}”: {problem}",
            hint="It goes on with the version that it has. Mend the file.",
            id="notifier.W005",
        )
        for content, problem in found
    ]


@checks.register(checks.Tags.database)
def check_rules(databases=None, **_options):
    """Names in rules and templates that are there no more, since a deployment."""
    if router.db_for_read(Trigger) not in (databases or ()):
        return []
    return [
        checks.Warning(
            f"{each.rule}: {each.text}",
            hint="Correct it in the admin, or bring back what it names.",
            id="notifier.W021",
        )
        for each in gone.find_quietly()
    ]


@checks.register(checks.Tags.security, deploy=True)
def check_deployment(**_options):
    """Parts that a deployment needs besides: the topic, who may get something, and where the site is."""
    problems = []
    if not conf.get("TOPIC_ARN"):
        problems.append(
            checks.Error(
                'NOTIFIER["TOPIC_ARN"] is not set.',
                hint="Give it the ARN of the SNS topic.",
                id="notifier.E003",
            )
        )
    if (patterns := conf.get("DELIVER_ONLY_TO")) is not None and not patterns:
        problems.append(
            checks.Warning(
                allow_list.describe(),
                hint=(
                    "Name those who may get something in DELIVER_ONLY_TO, with commas between "
                    "them; in production “everybody”."
                ),
                id="notifier.W006",
            )
        )
    if not conf.get("BASE_URL"):
        problems.append(
            checks.Warning(
                'NOTIFIER["BASE_URL"] is not set: links in messages have no host, and mails no link to '
                "unsubscribe by.",
                hint="Give it the site's address, such as https://shop.example.com.",
                id="notifier.W020",
            )
        )
    return problems
