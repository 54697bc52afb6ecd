"""Brings the database's rules to what a document says: one transaction, validated as the admin does.

All rows are written first and validated then, as they will be together: a path that a trigger gets only with
this file is no error, and one that it loses is. Anything wrong undoes it all.
"""

from django.contrib.auth.models import Group
from django.db import transaction

from ..exceptions import RulesFileRefused, TemplateRefused
from ..models import Audience, Category, RulesVersion, Subscription, Template, TemplateContent, Trigger
from . import current
from .applying import Run
from .pairing import pair_subscriptions
from .places import Places
from .removing import remove_the_rest
from .schema import AUDIENCE, CATEGORY, CONTENT, SUBSCRIPTION, TEMPLATE, TRIGGER, content_key
from .validating import validate_rows

AUTHOR, CODE = "rules import", "code"


def import_rules(
    rules, *, places=None, source="", prune=False, dry_run=False, progress=lambda done, total: None,
    declared="",
):  # fmt: skip
    """Bring the database to ``rules``, as ``checking.check_document`` gives them; returns the Changes, in the
    file's order.

    ``prune`` removes what the file does not have; ``dry_run`` undoes everything at the end. ``declared``: as
    of ``applying.Run``. Raises RulesFileRefused.
    """
    run = Run(rules, places or Places(), source, prune, progress, declared)
    with transaction.atomic(using=run.alias):
        with RulesVersion.touched_once():
            _write(run)
            remove_the_rest(run)
            validate_rows(run)
            if run.problems:
                raise RulesFileRefused(sorted(run.problems, key=lambda each: each.line or 0))
        if dry_run:
            transaction.set_rollback(True, using=run.alias)
    return run.changes


def _write(run):
    run.rows = {
        "categories": {row.name: row for row in Category.objects.all()},
        "audiences": {row.name: row for row in Audience.objects.prefetch_related("groups")},
        "templates": {row.name: row for row in Template.objects.prefetch_related("contents__version")},
        "triggers": {
            row.name: row
            for row in Trigger.objects.select_related("category").prefetch_related(
                "subscriptions__template", "subscriptions__audiences"
            )
        },
    }
    for name, values in run.rules["categories"].items():
        _write_category(run, ("categories", name), name, values)
    for name, values in run.rules["audiences"].items():
        _write_audience(run, ("audiences", name), name, values)
    for name, values in run.rules["templates"].items():
        _write_template(run, ("templates", name), name, values)
    _write_contents(run)
    for name, values in run.rules["triggers"].items():
        _write_trigger(run, ("triggers", name), name, values)


def _write_category(run, path, name, values):
    row = run.rows["categories"].get(name)
    old = current.category_values(row) if row else None
    if row := run.apply(path, row or Category(name=name), CATEGORY, old, values, what=f"category “{name}”"):
        run.rows["categories"][name] = row


def _write_audience(run, path, name, values):
    row = run.rows["audiences"].get(name)
    old = current.audience_values(row) if row else None
    if row := run.apply(path, row or Audience(name=name), AUDIENCE, old, values, what=f"audience “{name}”"):
        run.rows["audiences"][name] = row
        if not old or old["groups"] != values["groups"]:
            row.groups.set(_groups(run, path, values["groups"]))


def _groups(run, path, names):
    there = {group.name: group for group in Group.objects.filter(name__in=names)}
    for name in names:
        if name not in there:
            known = ", ".join(Group.objects.order_by("name").values_list("name", flat=True)) or "none"
            run.refuse(
                (*path, "groups"),
                f"There is no group “{name}” here. There are: {known}. Make it in the admin first.",
            )
    return there.values()


def _write_template(run, path, name, values):
    row = run.rows["templates"].get(name)
    old = current.template_values(row) if row else None
    if row := run.apply(path, row or Template(name=name), TEMPLATE, old, values, what=f"template “{name}”"):
        run.rows["templates"][name] = row


def _write_contents(run):
    """Write all templates' contents.

    One may extend another's, in any order: one that cannot be saved yet is tried again after the others.
    """
    waiting = []
    for name, values in run.rules["templates"].items():
        if ("templates", name) in run.broken:
            continue
        template = run.rows["templates"][name]
        there = {(each.channel, each.language): each for each in template.contents.all()}
        for number, wanted in enumerate(values["contents"]):
            path, row = ("templates", name, "contents", number), there.pop(content_key(wanted), None)
            waiting.append((path, template, row, row and current.content_values(row), wanted))
        run.leftover += there.values()
    while waiting:
        failed = [(each, error) for each in waiting if (error := _write_content(run, *each))]
        if len(failed) == len(waiting):
            for (path, *_rest), error in failed:
                part = error.part if error.part in {key.name for key in CONTENT} else "text"
                run.broken |= {path, path[:2]}
                run.refuse((*path, part), error)
            return
        waiting = [each for each, _error in failed]


def _write_content(run, path, template, row, old, wanted):
    new = row or TemplateContent(template=template, **{key: wanted[key] for key in ("channel", "language")})
    what = " · ".join(filter(None, [f"template “{template.name}”", *content_key(wanted)]))
    author = CODE if run.declared else AUTHOR
    try:
        with transaction.atomic(using=run.alias):
            run.apply(path, new, CONTENT, old, wanted, what=what, author=author, note=run.note)
    except TemplateRefused as error:
        if row:
            row.refresh_from_db()  # it may hold a version that is undone
        return error


def _write_trigger(run, path, name, values):
    row = run.rows["triggers"].get(name)
    old = current.trigger_values(row) if row else None
    row = row or Trigger(name=name)
    row.category = (
        run.find(path, "categories", "category", values["category"]) if values["category"] else None
    )
    row = run.apply(path, row, TRIGGER, old, values, what=f"trigger “{name}”")
    if row is None:
        return
    pairs, rest = pair_subscriptions(
        values["subscriptions"], row.subscriptions.all() if old else [], current.subscription_values
    )
    run.leftover += rest
    for index, subscription in pairs:
        _write_subscription(
            run, (*path, "subscriptions", index), row, subscription, values["subscriptions"][index]
        )


def _write_subscription(run, path, trigger, row, wanted):
    template = run.find(path, "templates", "template", wanted["template"])
    audiences = [run.find(path, "audiences", "audiences", name) for name in wanted["audiences"]]
    if template is None or None in audiences:
        return
    old = current.subscription_values(row) if row else None
    row = row or Subscription(trigger=trigger)
    row.template = template
    what = f"trigger “{trigger.name}” → {wanted['template']} → {', '.join(wanted['audiences'])}"
    if run.apply(path, row, SUBSCRIPTION, old, wanted, what=what) and (
        not old or old["audiences"] != wanted["audiences"]
    ):
        row.audiences.set(audiences)
