"""People of the office, with some permissions and not others."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from tests.support.builders import make_user


@pytest.fixture
def client_with(db):
    """Makes the client of a member of staff who has exactly these permissions of the notifier."""

    def make(*codenames):
        user = make_user(is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="notifier", codename__in=codenames)
        )
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def queries_of(admin_client, django_assert_max_num_queries):
    """Counts the statements that a page takes, its tables' contents being in memory already where Django
    keeps them.
    """

    def count(path):
        admin_client.get(path)
        with django_assert_max_num_queries(100) as captured:
            assert admin_client.get(path).status_code == 200
        return len(captured)

    return count
