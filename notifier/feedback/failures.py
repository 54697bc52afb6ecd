"""What the reason that a provider gives for a failure means. Called by ``sms`` and ``twilio``."""

from dataclasses import dataclass
from typing import Any

from ..models import Feedback


@dataclass(frozen=True, slots=True)
class Failure:
    """What a provider's reason, in its ``words`` or ours, means for the message and its address.

    The fields are those of the Report.
    """

    words: str
    # Any: as Django brings no types, a member would be the tuple that it is written as.
    kind: Any = Feedback.Kind.BOUNCED
    permanent: bool = False
    suppress: str = ""
    of_account: bool = False
