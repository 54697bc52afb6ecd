"""A project without the notifier, in a process of its own: ``python -m tests.without_notifier`` prints what a deletion costs it, as JSON."""

import json

import django
from django.conf import settings


def delete_notes():
    """Delete two notes with a page each, and their pages, by one ``QuerySet.delete()``. Returns the statements."""
    from tests.app.models import Note, NotePage
    from tests.observing import statements

    for text in "ab":
        NotePage.objects.create(note=Note.objects.create(text=text))
    with statements() as found:
        NotePage.objects.all().delete()
        Note.objects.all().delete()
    return found


def main():
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "tests.app"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    print(json.dumps(delete_notes()))


if __name__ == "__main__":
    main()
