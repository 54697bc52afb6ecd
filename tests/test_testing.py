"""What a project's own tests can use, as they would use it."""

import pytest
from django.db import transaction
from django.test import TestCase

from notifier.models import Delivery
from notifier.testing import assert_not_notified, assert_notified, capture_notifications
from project.demo.models import Post
from tests.support.builders import make_audience, make_trigger, make_user

pytestmark = pytest.mark.one_database


class ProjectTests(TestCase):
    """A project's TestCase: everything in one transaction that is never committed."""

    @classmethod
    def setUpTestData(cls):
        cls.ada = make_user(first_name="Ada", email="ada@example.com")
        cls.pat = make_user(email="")
        make_trigger(
            contents={"email": {"subject": "{{ instance.title }}", "text": "Dear {{ user.first_name }}"}}
        )

    def test_a_save_notifies_those_who_have_an_address(self):
        with capture_notifications() as sent:
            Post.objects.create(title="Linen & more")
        assert_notified(sent, self.ada, channel="email", containing="Dear Ada")
        assert_notified(sent, "ada@example.com", containing="Linen & more")
        assert_not_notified(sent, self.pat)
        assert [(message.subject, message.verb) for message in sent] == [("Linen & more", "post_save")]
        assert sent.unsent == [("email", f"user:{self.pat.pk}", "no_address")]

    def test_without_a_save_nobody_is_notified(self):
        with capture_notifications() as sent:
            pass
        assert_not_notified(sent)

    def test_what_is_rolled_back_is_not_sent(self):
        with capture_notifications() as sent:
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                Post.objects.create(title="Never")
                raise ZeroDivisionError
            Post.objects.create(title="Once")
        assert [message.subject for message in sent] == ["Once"]

    def test_a_rule_made_in_the_test_counts(self):
        boss = make_user(email="boss@example.com")
        make_trigger(verb="post_delete", audiences=[make_audience(users=[boss])])
        with capture_notifications() as sent:
            Post.objects.create(title="Gone").delete()
        assert_notified(sent, boss, containing="Gone", times=2)

    def test_a_failed_assertion_says_what_was_sent_instead(self):
        with capture_notifications() as sent:
            Post.objects.create(title="Linen")
        with pytest.raises(
            AssertionError, match="got 0 such messages, not 1. Sent: email to ada@example.com"
        ):
            assert_notified(sent, self.ada, channel="sms")
        with pytest.raises(AssertionError, match="These were sent: email to ada@example.com"):
            assert_not_notified(sent)


@pytest.mark.django_db(transaction=True)
def test_nothing_that_was_captured_reaches_the_cloud(cloud, pump):
    make_user()
    make_trigger()
    with capture_notifications() as sent:
        Post.objects.create(title="Quiet")
    assert len(sent) == 1
    assert pump.drain() == 0
    assert cloud.outbox() == []
    assert Delivery.objects.get().status == Delivery.Status.SENT
