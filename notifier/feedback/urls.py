"""The webhooks, for projects that hear from SES or from Twilio over HTTPS.

``path("feedback/", include("notifier.feedback.urls"))``
"""

from django.urls import path

from . import twilio
from .webhook import receive, receive_status

urlpatterns = [
    path("ses/", receive, name="notifier_feedback_ses"),
    path("twilio/", receive_status, name=twilio.NAME),
]
