"""People's devices: they come, they go, and some people have none. Read by ``lambdas.push``."""

from django.db.models import Exists, OuterRef
from django.utils import timezone

from ..channels.recipient import Recipient, user_keys
from ..exceptions import Skipped
from ..models import Device

# More than one person uses; the one that was not seen for longest goes.
MAX_DEVICES = 20
MAX_TOKEN_CHARACTERS = Device._meta.get_field("token").max_length


class UnusableDevice(ValueError):
    """An app has sent something that registers no device. The text says what to send instead."""


def register_device(user, *, platform, token):
    """The Device of that token, which is from now on this user's, switched on, and seen now.

    The same again changes nothing else.

    Raises UnusableDevice. Call it from a view of your own where an app does not sign in by session.
    """
    if platform not in Device.Platform.values:
        raise UnusableDevice(f"There is no such platform. There are: {', '.join(Device.Platform.values)}.")
    if (
        not token.strip()
        or len(token) > MAX_TOKEN_CHARACTERS
        or not token.isascii()
        or not token.isprintable()
        or " " in token
    ):
        raise UnusableDevice("Send the token as the platform gave it to the app.")
    values = {"user": user, "enabled": True, "seen_at": timezone.now()}
    device, _created = Device.objects.update_or_create(platform=platform, token=token, defaults=values)
    seen_last = Device.objects.filter(user=user).order_by("-seen_at", "-pk").values_list("pk", flat=True)
    Device.objects.filter(pk__in=list(seen_last[MAX_DEVICES:])).delete()
    return device


def remove_device(user, pk):
    """Forget this user's device: somebody signs out. False when they have no such device."""
    return bool(Device.objects.filter(user=user, pk=pk).delete()[1].get(Device._meta.label))


def with_device(users):
    """The users of a queryset who have a device that can be sent to."""
    return users.filter(Exists(Device.objects.filter(user=OuterRef("pk"), enabled=True)))


def refuse_without_device(candidates, _channel):
    """A channel's gate: Skipped for those who have no device. ``with_device`` says the same of a queryset."""
    found = Device.objects.filter(user__in=user_keys(candidates), enabled=True).values_list(
        "user_id", flat=True
    )
    reachable = {str(Recipient.of_user(key)) for key in found}
    return [None if each.recipient in reachable else Skipped("no_device") for each in candidates]
