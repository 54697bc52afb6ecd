"""Contents whose template file has changed with a deployment, or cannot be used.

Called after a migration, and by ``checks``.
"""

import logging

from django.db import DatabaseError, transaction

from ..exceptions import TemplateRefused
from ..models import TemplateContent

logger = logging.getLogger(__name__)


def follow_deployment(**_signal):
    """After a deployment's migration: contents whose file has changed get a version of it.

    One that is refused keeps its old one.
    """
    try:
        with transaction.atomic():
            contents = list(TemplateContent.objects.exclude(file="").select_related("template", "version"))
    except DatabaseError:
        return  # the tables are still to come, or are gone
    for content in contents:
        try:
            content.save(note="The file has changed.")
        except TemplateRefused as error:
            logger.error(
                "The file “%s” of the template %d is refused and its old version stays: %s",
                content.file,
                content.template_id,
                error,
            )


def problems():
    """``(content, what is wrong)`` of all contents whose file cannot be used as it is now."""
    found = []
    for content in TemplateContent.objects.exclude(file="").select_related("template"):
        try:
            content.compile()
        except TemplateRefused as error:
            found.append((content, str(error)))
    return found
