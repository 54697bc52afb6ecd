"""``manage.py open_the_shop``: one act, and the end."""

from django.core.management.base import BaseCommand

from tests.first import acts


class Command(BaseCommand):
    requires_system_checks = []

    def handle(self, **options):
        acts.create()
