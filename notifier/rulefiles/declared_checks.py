"""What ``manage.py check`` says of rules that code declares. Imported by ``checks``."""

from django.core import checks
from django.db import DatabaseError, router

from ..models import Trigger
from ..rules import declarations
from . import declared


@checks.register(checks.Tags.compatibility)
def check_declarations(**_options):
    """Rules that code declares and that are wrong whatever the database has."""
    return [
        checks.Error(
            f"The rule “{key}”, declared in {declaration.place}, cannot be kept: {problem}",
            hint="It is written as in a file of rules: see docs/commands.md.",
            id="notifier.E013",
        )
        for key, declaration in declarations.all_declared().items()
        if (problem := declared.problem_in_code(declaration))
    ]


@checks.register(checks.Tags.database)
def check_declared(databases=None, **_options):
    """Rules that code declares and that are not kept, as something is wrong with them or is not there."""
    if router.db_for_read(Trigger) not in (databases or ()):
        return []
    try:
        found = declared.problems_now()
    except DatabaseError:  # its tables are still to come
        return []
    return [
        checks.Warning(
            f"The rule “{key}”, declared in {declarations.get(key).place}, is not kept: {text}",
            hint="`manage.py rules declared` tries again and says all that is wrong; `migrate` tries, too.",
            id="notifier.W010",
        )
        for key, text in found.items()
    ]
