"""The webhook, for projects that hear from SES over HTTPS.

``path("feedback/", include("notifier.feedback.urls"))``
"""

from django.urls import path

from .webhook import receive

urlpatterns = [path("ses/", receive, name="notifier_feedback_ses")]
