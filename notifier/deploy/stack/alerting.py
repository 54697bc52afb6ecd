"""What ALERT_EMAIL holds: the address of those on duty, or the topic that tells them."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from notifier.exceptions import ConfigurationError

VARIABLE = "ALERT_EMAIL"
# https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
TOPIC_ARN = re.compile(r"arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}")


def parse(text):
    """The one address, or the ARN of a topic, or blank. Raises ConfigurationError for anything else."""
    text = text.strip()
    if text and not TOPIC_ARN.fullmatch(text):
        try:
            validate_email(text)
        except ValidationError:
            raise ConfigurationError(
                f"{VARIABLE} cannot be used: it is one plain address, such as ops@example.com, or the ARN of "
                "a topic of SNS. More people are added in the admin, under Those on duty."
            ) from None
    return text
