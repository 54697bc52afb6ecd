"""``SECRET_KEY`` is replaced, and the one before stands in ``SECRET_KEY_FALLBACKS``: what the old one has
signed goes on, and ends with it.
"""

import pytest
from django.core import signing
from django.test import Client

from notifier.inbox import listing
from notifier.models import Category
from notifier.people import link_tokens
from tests.support.builders import make_delivery, make_user

pytestmark = [pytest.mark.one_database, pytest.mark.django_db]


def unsubscribing(ada):
    """The link in a mail."""
    category = Category.objects.create(name="offers", title="Offers")
    token = link_tokens.sign("unsubscribe", f"user:{ada.pk}", 1, category.pk, "email")
    return lambda: Client().post(f"/notifications/unsubscribe/{token}/", {"action": "unsubscribe"})


def unsubscribing_an_address(ada):
    """The link of somebody who has no account names the delivery."""
    delivery = make_delivery(recipient="address:bo@example.com", address="bo@example.com")
    token = link_tokens.sign("unsubscribe", delivery.recipient, delivery.pk, 0, "email")
    return lambda: Client().post(f"/notifications/unsubscribe/{token}/", {"action": "unsubscribe"})


def choosing(ada):
    token = link_tokens.sign("preferences", f"user:{ada.pk}", 1)
    return lambda: Client().get(f"/notifications/preferences/{token}/")


def signed_in(ada):
    client = Client()
    client.force_login(ada)
    return lambda: client.get("/notifications/inbox/")


def paging(ada):
    """The address of the inbox's next page, in a process that has started since."""
    token = signing.Signer(salt=listing.CURSORS.salt).sign("1")

    def read():
        signing.Signer(salt=listing.CURSORS.salt).unsign(token)

    return read


def works(use):
    try:
        answer = use()
    except signing.BadSignature:
        return False
    return answer is None or answer.status_code == 200


SIGNED = [unsubscribing, unsubscribing_an_address, choosing, signed_in, paging]


@pytest.mark.parametrize("made_by", SIGNED)
def test_what_the_old_key_has_signed_goes_on_while_it_is_named_and_no_longer(settings, made_by):
    use, old = made_by(make_user()), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the-next-key", ["another", old]
    assert works(use)
    # Django has renewed a session that came with the old key; all else is as it was.
    settings.SECRET_KEY_FALLBACKS = []
    assert works(use) == (made_by is signed_in)


@pytest.mark.parametrize("made_by", SIGNED)
def test_without_the_old_key_it_ends_at_once(settings, made_by):
    use = made_by(make_user())
    settings.SECRET_KEY = "the-next-key"
    assert not works(use)


def test_what_is_signed_now_is_signed_by_the_new_key(settings):
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the-next-key", [old]
    use = choosing(make_user())
    settings.SECRET_KEY_FALLBACKS = []
    assert works(use)
