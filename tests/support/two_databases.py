"""A project whose models have another database than the events: ``python -m tests.support.two_databases``
prints what was recorded, as JSON.
"""

import json

import django
from django.conf import settings


class Router:
    """The shop is written to the other database, and read from one that is far behind: it does not even have
    its tables.
    """

    def db_for_write(self, model, **hints):
        return "other" if model._meta.app_label == "shop" else "default"

    def db_for_read(self, model, **hints):
        return "default"

    def allow_migrate(self, db, app_label, **hints):
        return (db == "other") == (app_label == "shop")


def main():
    memory = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "notifier", "tests.app"],
        DATABASES={"default": memory, "other": memory | {"NAME": "file:other?mode=memory"}},
        DATABASE_ROUTERS=["tests.support.two_databases.Router"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()
    from django.core.management import call_command

    for database in settings.DATABASES:
        call_command("migrate", database=database, verbosity=0, run_syncdb=True)
    print(json.dumps(play()))


def play():
    from django.db import connection, transaction

    from notifier.models import Event, Trigger
    from tests.app.models import Customer

    for verb in "pre_save", "post_save":
        Trigger.objects.create(name=verb, verb=verb, model="shop.customer")
    seen = {}

    def count(name):
        seen[name] = sorted(Event.objects.values_list("verb", flat=True))
        Event.objects.all().delete()

    Customer.objects.create(first_name="Ada")
    count("outside a transaction")
    with transaction.atomic(using="other"):
        Customer.objects.create(first_name="Bo")
        count("before the commit")
    count("after the commit")
    with transaction.atomic(using="other"):
        Customer.objects.create(first_name="Never")
        transaction.set_rollback(True, using="other")
    count("rolled back")
    with transaction.atomic(using="other"), transaction.atomic(using="default"):
        Customer.objects.create(first_name="Chidi")
        transaction.set_rollback(True, using="default")
    count("the events' own rolled back, the save's committed")
    Trigger.objects.update(condition='previous.first_name == "Ada"')
    for name in "Bo", "Chidi":
        customer = Customer.objects.using("other").get(pk=1)
        customer.first_name = name
        customer.save()
    count("what was before is read where it is saved")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE notifier_event RENAME TO gone")
    with transaction.atomic(using="other"):
        Customer.objects.create(first_name="Dunya")
    seen["saved although nothing could be recorded"] = (
        Customer.objects.using("other").filter(first_name="Dunya").count()
    )
    return seen


if __name__ == "__main__":
    main()
