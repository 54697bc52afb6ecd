"""The project's settings, with another user model and without the demo, which has Django's."""

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS

INSTALLED_APPS = ["tests.swapped", *(app for app in INSTALLED_APPS if app != "project.demo")]
AUTH_USER_MODEL = "people.Member"
NOTIFIER = {"TOPIC_ARN": "", "ADDRESSES": {"email": "mailbox", "sms": "card.mobile"}}
