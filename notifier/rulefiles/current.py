"""The database's rules in the shape of a file. Called before ``writing``, and by ``importing``, which
compares.
"""

from ..models import Audience, Category, Lane, Template, Trigger
from ..rules.audiences import lines_of
from .schema import (
    AUDIENCE,
    CATEGORY,
    CONTENT,
    SUBSCRIPTION,
    TEMPLATE,
    TRIGGER,
    content_key,
    normal_text,
    subscription_order,
)


def read_rules():
    """``{section: {name: {key: value}}}`` with every key, in a stable order. What code declares is left out.

    Nine queries, whatever their number.
    """
    audiences = Audience.objects.filter(declared="").prefetch_related("groups")
    templates = Template.objects.filter(declared="").prefetch_related("contents")
    triggers = (
        Trigger.objects.filter(declared="")
        .select_related("category")
        .prefetch_related("subscriptions__template", "subscriptions__audiences")
    )
    return {
        "categories": _by_name(Category.objects.all(), category_values),
        "audiences": _by_name(audiences, audience_values),
        "templates": _by_name(templates, template_values),
        "triggers": _by_name(triggers, trigger_values),
    }


def unwritten_people():
    """Names of the audiences that hold people one by one, who are not written."""
    return list(
        Audience.objects.filter(users__isnull=False)
        .distinct()
        .order_by("name")
        .values_list("name", flat=True)
    )


def _by_name(rows, values_of):
    # By code points: what a database takes for alphabetical depends on where it stands.
    return {row.name: values_of(row) for row in sorted(rows, key=lambda row: row.name)}


def category_values(category):
    return _values(category, CATEGORY)


def audience_values(audience):
    return _values(audience, AUDIENCE) | {"groups": sorted(group.name for group in audience.groups.all())}


def template_values(template):
    contents = [content_values(content) for content in template.contents.all()]
    return _values(template, TEMPLATE) | {"contents": sorted(contents, key=content_key)}


def content_values(content):
    return _values(content, CONTENT)


def trigger_values(trigger):
    subscriptions = [subscription_values(each) for each in trigger.subscriptions.all()]
    category = trigger.category.name if trigger.category else ""
    return _values(trigger, TRIGGER) | {
        "category": category,
        "subscriptions": sorted(subscriptions, key=subscription_order),
    }


def subscription_values(subscription):
    audiences = sorted(audience.name for audience in subscription.audiences.all())
    return _values(subscription, SUBSCRIPTION) | {
        "template": subscription.template.name,
        "audiences": audiences,
    }


def _values(row, keys):
    """The plain fields of a row; what is a relation is the caller's."""
    found = {}
    for key in keys:
        value = row.__dict__.get(key.column)
        if key.kind == "text":
            value = normal_text(value or "")
        elif key.kind == "lines":
            value = lines_of(value)
        elif key.kind == "set":
            value = sorted(value or ())
        elif key.kind == "lane":
            value = "" if value is None else Lane(value).word
        found[key.name] = value
    return found
