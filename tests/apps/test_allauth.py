"""django-allauth: its own pages send the signals."""

from django.contrib.auth.models import User

from notifier.testing import assert_notified, capture_notifications

APP = "django-allauth"


def test_who_signs_up_and_who_changes_a_password_is_written_to(recipe, client):
    new, newer = "quiet-otter-71", "loud-heron-17"
    typed = {"username": "ada", "email": "ada@example.com", "password1": new, "password2": new}

    with capture_notifications() as signing_up:
        assert client.post("/accounts/signup/", typed).status_code == 302
    typed = {"oldpassword": new, "password1": newer, "password2": newer}
    with capture_notifications() as changing:
        assert client.post("/accounts/password/change/", typed).status_code == 302

    ada = User.objects.get()
    assert_notified(signing_up, ada, channel="email", containing="The account ada is ready.")
    assert_notified(changing, ada, channel="email", containing="If that was not you, ada,")
    assert [len(signing_up), len(changing)] == [1, 1]
