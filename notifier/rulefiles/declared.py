"""Keeps the rows of rules that code declares in step with it, as if each were a file of rules.

Called after a migration, and by ``manage.py rules declared``; the admin lets people take one over.

Note [whose row it is]: a rule is found by its key, the trigger's name. A row of that name that does not say
it is declared is a person's, and wins. So taking over is to say so no more, and nothing else; where the row
is deleted, the next migration makes it as code says. Whether a declared rule is switched on is a person's
affair from its first day on: code does not touch it.

Note [two releases]: the rows are what all processes go by, also those of the release before, until they end:
a rule that went is off from the migration on, one that came is on. Where the older release migrates once
more, as when a deployment is taken back, its rules come back as they were.
"""

import logging

from django.db import DatabaseError, router, transaction

from ..channels import registry
from ..exceptions import RulesFileRefused
from ..models import Audience, Category, Template, Trigger
from ..models.declared import Declared
from ..rules import declarations, signals
from ..templating import permitted, readable
from .applying import Change
from .checking import check_document
from .importing import import_rules
from .schema import FORMAT_VERSION, SINGULAR, SUBSCRIPTION

logger = logging.getLogger(__name__)

Kept = Declared.Kept
SECTIONS = {"triggers": Trigger, "templates": Template, "audiences": Audience}
BY_NAME = SECTIONS | {"categories": Category}
# What a subscription may say of those keys that its trigger has, too, is the trigger's.
OF_SUBSCRIPTIONS = {key.name for key in SUBSCRIPTION} - {"enabled"}


def follow_deployment(*, using, **_signal):
    """After a deployment's migration: the rows are as this release declares them."""
    if using != router.db_for_write(Trigger):
        return
    try:
        with transaction.atomic(using=using):
            Trigger.objects.filter(declared=Kept.CODE).exists()
    except DatabaseError:
        return  # the tables are still to come, or are gone
    _changes, problems = keep_declared()
    for key, text in problems.items():
        logger.error("The rule “%s” of %s is not kept: %s", key, declarations.get(key).place, text)


def keep_declared():
    """Bring the rows to what code declares; returns the Changes, and ``{key: what is wrong with it}``.

    One that is wrong keeps the row that it has, and no other is harmed.
    """
    changes, problems = [], {}
    for key, declaration in declarations.all_declared().items():
        try:
            changes += keep(declaration)
        except RulesFileRefused as error:
            problems[key] = str(error)
        except DatabaseError as error:
            # Another process may be keeping the same at this moment.
            problems[key] = type(error).__name__
    return changes + retire(), problems


def keep(declaration):
    """Bring one rule's rows to what is declared; returns the Changes. RulesFileRefused says what is wrong."""
    key = declaration.key
    row = Trigger.objects.filter(name=key).first()
    if row and not row.declared:
        release(key)
        return []
    rules = check_document(document_of(declaration))
    for section in ("templates", "audiences"):
        # The words, or the people, that somebody has taken over alone.
        if SECTIONS[section].objects.filter(name=key, declared="").exists():
            rules[section].pop(key, None)
    rules["triggers"][key]["enabled"] = row is None or row.enabled or row.declared == Kept.RETIRED
    return import_rules(rules, source=declaration.place, declared=Kept.CODE)


def declared_keys():
    """Keys of the rules whose rows are the code's, or were."""
    return list(Trigger.objects.exclude(declared="").order_by("name").values_list("name", flat=True))


def problem_in_code(declaration):
    """What is wrong with it in itself, whatever the database has, or blank."""
    try:
        check_document(document_of(declaration))
    except RulesFileRefused as error:
        return str(error)
    if signals.get(declaration.verb) is None:
        return f"No signal is registered as “{declaration.verb}”. Known: {', '.join(signals.names())}."
    if why := permitted.refusal(readable.find_model(declaration.model)):
        return why
    known = registry.channel_names()
    unknown = [name for name in declaration.channels if name not in known]
    return f"No such channel: {', '.join(unknown)}. There are: {', '.join(known)}." if unknown else ""


def problems_now():
    """``{key: what is wrong}`` of declarations that are right in themselves, by what the database has now.

    Nothing is written.
    """
    found = {}
    rows = {row.name: row for row in Trigger.objects.filter(name__in=declarations.all_declared())}
    for key, declaration in declarations.all_declared().items():
        if key in rows and not rows[key].declared or problem_in_code(declaration):
            continue
        rules = check_document(document_of(declaration))
        missing = [
            f"There is no {SINGULAR[section]} “{name}”."
            for section, name in _named(key, rules)
            if not BY_NAME[section].objects.filter(name=name).exists()
        ]
        if missing:
            found[key] = " ".join(missing)
        elif key not in rows or rows[key].declared != Kept.CODE:
            found[key] = "Its row is not there yet: run migrate."
    return found


def _named(key, rules):
    """``(section, name)`` of the rows that the rule ``key`` needs, but for those that it brings."""
    trigger = rules["triggers"][key]
    (subscription,) = trigger["subscriptions"]
    named = [("templates", subscription["template"])]
    named += [("audiences", name) for name in subscription["audiences"]]
    named += [("categories", trigger["category"])] if trigger["category"] else []
    return [(section, name) for section, name in named if name not in rules[section]]


def document_of(declaration):
    """The declaration as a file of rules would say it."""
    key, more = declaration.key, declaration.more
    audience, is_own = declaration.audience, isinstance(declaration.audience, dict)
    subscription = {name: value for name, value in more.items() if name in OF_SUBSCRIPTIONS} | {
        "template": declaration.template or key,
        "channels": list(declaration.channels),
        "audiences": [key] if is_own else list(audience),
    }
    trigger = {name: value for name, value in more.items() if name not in OF_SUBSCRIPTIONS} | {
        "signal": declaration.verb,
        "model": declaration.model,
        "subscriptions": [subscription],
    }
    contents = [{"channel": channel, **parts} for channel, parts in declaration.contents.items()]
    return {
        "version": FORMAT_VERSION,
        "audiences": {key: audience} if is_own else {},
        "templates": {key: {"contents": contents}} if contents else {},
        "triggers": {key: trigger},
    }


def retire():
    """Switch off what code declares no more; its events keep it. Returns the Changes."""
    with transaction.atomic(using=router.db_for_write(Trigger)):
        return _retire(declarations.all_declared())


def _retire(declared):
    changes = []
    own = {
        "triggers": set(declared),
        "templates": {key for key, each in declared.items() if each.contents},
        "audiences": {key for key, each in declared.items() if isinstance(each.audience, dict)},
    }
    for section, model in SECTIONS.items():
        for row in model.objects.filter(declared=Kept.CODE).exclude(name__in=own[section]):
            row.declared = Kept.RETIRED if getattr(row, "enabled", True) else Kept.RETIRED_OFF
            if section == "triggers":
                row.enabled = False
            row.save()
            changes.append(Change(action="retired", what=f"{row._meta.verbose_name} “{row.name}”"))
    return changes


def release(key):
    """Let a person have the rows of this key: from now on no code changes them. Returns them."""
    declared = [model.objects.filter(name=key).exclude(declared="") for model in SECTIONS.values()]
    rows = [row for found in declared for row in found]
    with transaction.atomic(using=router.db_for_write(Trigger)):
        for row in rows:
            row.declared = ""
            row.save()
    return rows
