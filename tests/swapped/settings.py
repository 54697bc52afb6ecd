"""The project's settings, with another user model and without what has Django's: the demo, and users in the
admin.
"""

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS

INSTALLED_APPS = [
    "tests.swapped",
    *(app for app in INSTALLED_APPS if app not in ("project.demo", "project.users")),
]
AUTH_USER_MODEL = "people.Member"
NOTIFIER = {"TOPIC_ARN": "", "ADDRESSES": {"email": "mailbox", "sms": "card.mobile"}}
