"""The whole visit: what is right stays unmentioned, what cannot be asked is said, and no secret is."""

import pytest

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_healthy_deployment_has_no_findings(shop, visit):
    assert visit().findings == []
