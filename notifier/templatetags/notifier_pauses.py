"""A line on the notifier's pages while something is paused, by one query a page. Calls
``admin.overview.pauses``.
"""

from django import template

register = template.Library()


@register.inclusion_tag("admin/notifier/paused_banner.html", takes_context=True)
def paused_banner(context):
    # Unfold loads all template tags while it is itself being imported.
    from ..admin.overview import pauses

    return {
        "pauses": pauses.described_pauses(),
        "may_see": context["request"].user.has_perm("notifier.view_pause"),
    }
