"""The language and the time zone that people have chosen themselves.

Called by ``addresses``, before the settings' own paths.
"""

from ..models import Preferences


def read_wishes(keys):
    """User's primary key → ``(language, time zone)``, each blank where nothing was chosen. One query."""
    rows = Preferences.objects.filter(user__in=keys).values_list("user_id", "language", "time_zone")
    return {key: (language, time_zone) for key, language, time_zone in rows}
