"""Brings the database's rules to what a document says: one transaction, validated as the admin does. Next hop: the models.

All rows are written first and validated then, as they will be together: a path that a trigger gets only with this file is no error, and
one that it loses is. Anything wrong undoes it all.
"""

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import router, transaction
from django.db.models import ProtectedError, RestrictedError

from ..exceptions import RulesFileRefused, TemplateRefused
from ..models import Audience, RulesVersion, Subscription, Template, TemplateContent, Trigger
from . import current
from .pairing import pair_subscriptions
from .places import Places
from .schema import AUDIENCE, CONTENT, SUBSCRIPTION, TEMPLATE, TRIGGER, content_key

AUTHOR = "rules import"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What an import did with one row. ``action``: created, changed, removed, or kept: not in the file, and left alone.

    ``fields``: ``(key, old, new)`` of a change.
    """

    action: str
    what: str
    fields: tuple = ()


def import_rules(rules, *, places=None, source="", prune=False, dry_run=False, progress=lambda done, total: None):
    """Bring the database to ``rules``, as ``checking.check_document`` gives them; returns the Changes, in the file's order.

    ``prune`` removes what the file does not have; ``dry_run`` undoes everything at the end. Raises RulesFileRefused.
    """
    run = _Import(rules, places or Places(), source, prune, progress)
    with transaction.atomic(using=run.alias):
        with RulesVersion.touched_once():
            run.write()
            run.validate()
            if run.problems:
                raise RulesFileRefused(sorted(run.problems, key=lambda each: each.line or 0))
        if dry_run:
            transaction.set_rollback(True, using=run.alias)
    return run.changes


class _Import:
    def __init__(self, rules, places, source, prune, progress):
        self.rules, self.places, self.prune, self.progress = rules, places, prune, progress
        self.note = f"From {source}." if source else ""
        self.alias = router.db_for_write(Trigger)
        self.changes, self.problems = [], []
        # (row, path in the file, keys), in the order of the file, to be validated; and the paths of what could not be written.
        self.written, self.broken = [], set()
        self.total = sum(
            1 + len(row.get("contents", row.get("subscriptions", ()))) for part in rules.values() for row in part.values()
        )

    # What is in the file.

    def write(self):
        self.rows = {
            "audiences": {row.name: row for row in Audience.objects.prefetch_related("groups")},
            "templates": {row.name: row for row in Template.objects.prefetch_related("contents__version")},
            "triggers": {
                row.name: row for row in Trigger.objects.prefetch_related("subscriptions__template", "subscriptions__audiences")
            },
        }
        for section in ("audiences", "templates"):
            for name, values in self.rules[section].items():
                getattr(self, f"_write_{section[:-1]}")((section, name), name, values)
        self._write_contents()
        for name, values in self.rules["triggers"].items():
            self._write_trigger(("triggers", name), name, values)
        self._remove()

    def _write_audience(self, path, name, values):
        row = self.rows["audiences"].get(name)
        old = current.audience_values(row) if row else None
        if row := self._apply(path, row or Audience(name=name), AUDIENCE, old, values, what=f"audience “{name}”"):
            self.rows["audiences"][name] = row
            if not old or old["groups"] != values["groups"]:
                row.groups.set(self._groups(path, values["groups"]))

    def _groups(self, path, names):
        there = {group.name: group for group in Group.objects.filter(name__in=names)}
        for name in names:
            if name not in there:
                known = ", ".join(Group.objects.order_by("name").values_list("name", flat=True)) or "none"
                self._refuse(
                    (*path, "groups"), f"There is no group “{name}” here. There are: {known}. Make it in the admin first."
                )
        return there.values()

    def _write_template(self, path, name, values):
        row = self.rows["templates"].get(name)
        old = current.template_values(row) if row else None
        if row := self._apply(path, row or Template(name=name), TEMPLATE, old, values, what=f"template “{name}”"):
            self.rows["templates"][name] = row

    def _write_contents(self):
        """All templates' contents. One may extend another's, in any order: who cannot be saved yet is tried again after the others."""
        waiting, self.leftover = [], []
        for name, values in self.rules["templates"].items():
            if ("templates", name) in self.broken:
                continue
            template = self.rows["templates"][name]
            there = {(each.channel, each.language): each for each in template.contents.all()}
            for number, wanted in enumerate(values["contents"]):
                path, row = ("templates", name, "contents", number), there.pop(content_key(wanted), None)
                waiting.append((path, template, row, row and current.content_values(row), wanted))
            self.leftover += there.values()
        while waiting:
            failed = [(each, error) for each in waiting if (error := self._write_content(*each))]
            if len(failed) == len(waiting):
                for (path, *_rest), error in failed:
                    part = error.part if error.part in {key.name for key in CONTENT} else "text"
                    self.broken |= {path, path[:2]}
                    self._refuse((*path, part), error)
                return
            waiting = [each for each, _error in failed]

    def _write_content(self, path, template, row, old, wanted):
        new = row or TemplateContent(template=template, **{key: wanted[key] for key in ("channel", "language")})
        what = " · ".join(filter(None, [f"template “{template.name}”", *content_key(wanted)]))
        try:
            with transaction.atomic(using=self.alias):
                self._apply(path, new, CONTENT, old, wanted, what=what, author=AUTHOR, note=self.note)
        except TemplateRefused as error:
            if row:
                row.refresh_from_db()  # it may hold a version that is undone
            return error

    def _write_trigger(self, path, name, values):
        row = self.rows["triggers"].get(name)
        old = current.trigger_values(row) if row else None
        row = self._apply(path, row or Trigger(name=name), TRIGGER, old, values, what=f"trigger “{name}”")
        if row is None:
            return
        pairs, rest = pair_subscriptions(
            values["subscriptions"], row.subscriptions.all() if old else [], current.subscription_values
        )
        self.leftover += rest
        for index, subscription in pairs:
            self._write_subscription((*path, "subscriptions", index), row, subscription, values["subscriptions"][index])

    def _write_subscription(self, path, trigger, row, wanted):
        template = self._find(path, "templates", "template", wanted["template"])
        audiences = [self._find(path, "audiences", "audiences", name) for name in wanted["audiences"]]
        if template is None or None in audiences:
            return
        old = current.subscription_values(row) if row else None
        row = row or Subscription(trigger=trigger)
        row.template = template
        what = f"trigger “{trigger.name}” → {wanted['template']} → {', '.join(wanted['audiences'])}"
        if self._apply(path, row, SUBSCRIPTION, old, wanted, what=what) and (not old or old["audiences"] != wanted["audiences"]):
            row.audiences.set(audiences)

    def _find(self, path, section, key, name):
        """The row that the file names: one of its own, or of the database if that keeps it."""
        known = self.rules[section].keys() if self.prune else self.rules[section].keys() | self.rows[section].keys()
        if name in known:
            # Without a row it is refused already, where it stands itself.
            return self.rows[section].get(name)
        where = "in this file" if self.prune else "in this file, nor in the database"
        self._refuse(
            (*path, key), f"There is no {section[:-1]} “{name}” {where}. There are: {', '.join(sorted(known)) or 'none'}."
        )

    def _apply(self, path, row, keys, old, wanted, *, what, **saving):
        """Write ``wanted`` to ``row`` if that differs from ``old``. Returns the row, or None where a field cannot hold it."""
        plain = [key for key in keys if key.kind != "rows"]
        changed = tuple((key.name, old[key.name], wanted[key.name]) for key in plain if old and old[key.name] != wanted[key.name])
        for key in plain:
            # Relations are set by whoever knows their rows.
            if key.column in {field.attname for field in row._meta.concrete_fields} and (
                not old or old[key.name] != wanted[key.name]
            ):
                setattr(row, key.column, "\n".join(wanted[key.name]) if key.kind == "lines" else wanted[key.name])
        if changed or not old:
            try:
                row.clean_fields()
            except ValidationError as error:
                self.broken |= {path, path[:2]} if path[0] == "templates" else {path}
                self._refuse_all(path, keys, error)
                return None
            row.save(**saving)
            self.changes.append(Change(action="changed" if old else "created", what=what, fields=changed))
        self.written.append((row, path, keys))
        self.progress(len(self.written), self.total)
        return row

    # What is not.

    def _remove(self):
        extra = {
            section: [row for name, row in rows.items() if name not in self.rules[section]] for section, rows in self.rows.items()
        }
        subscriptions = [row for row in self.leftover if isinstance(row, Subscription)]
        contents = [row for row in self.leftover if isinstance(row, TemplateContent)]
        kinds = [subscriptions, extra["triggers"], contents, extra["templates"], extra["audiences"]]
        for row in [row for kind in kinds for row in kind]:
            self.changes.append(Change(action="removed" if self.prune else "kept", what=_describe(row)))
        if not self.prune or self.problems:
            return
        for row in [*subscriptions, *extra["triggers"], *contents]:
            self._delete(row, row.delete)
        # Together: one may extend another, which keeps it.
        names = [row.name for row in extra["templates"]]
        self._delete(None, Template.objects.filter(name__in=names).delete)
        self._delete(None, Audience.objects.filter(name__in=[row.name for row in extra["audiences"]]).delete)

    def _delete(self, row, delete):
        try:
            with transaction.atomic(using=self.alias):
                delete()
        except (ProtectedError, RestrictedError, TemplateRefused) as error:
            self._refuse((), f"{_describe(row) if row else 'What the file does not have'} cannot be removed: {error}")

    # Whether it holds together.

    def validate(self):
        for row, path, keys in self.written:
            if path in self.broken or isinstance(row, Subscription) and ("templates", row.template.name) in self.broken:
                continue
            # What was read before others were written is read anew.
            row._prefetched_objects_cache = {}
            if isinstance(row, Subscription):
                row.template._prefetched_objects_cache = {}
                self._validate_audiences(row, path)
            try:
                row.full_clean()
            except ValidationError as error:
                self._refuse_all(path, keys, error)

    def _validate_audiences(self, subscription, path):
        """Those of the file are validated themselves, with all their subscriptions."""
        for audience in subscription.audiences.exclude(name__in=self.rules["audiences"]):
            for text in audience.problems_with(subscription.trigger):
                self._refuse((*path, "audiences"), f"“{audience.name}”: {text}")

    def _refuse_all(self, path, keys, error):
        names = {key.column: key.name for key in keys}
        for field, texts in error.message_dict.items():
            for text in texts:
                self._refuse((*path, names[field]) if field in names else path, text)

    def _refuse(self, path, text):
        problem = self.places.problem(path, text)
        if problem not in self.problems:
            self.problems.append(problem)


def _describe(row):
    if isinstance(row, Subscription):
        values = current.subscription_values(row)
        return f"trigger “{row.trigger.name}” → {values['template']} → {', '.join(values['audiences'])}"
    if isinstance(row, TemplateContent):
        return " · ".join(filter(None, [f"template “{row.template.name}”", row.channel, row.language]))
    return f"{row._meta.verbose_name} “{row.name}”"
