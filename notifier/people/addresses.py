"""The addresses of a page of users, or plain addresses, as rows. Called by ``deliveries.fanout``."""

from django.contrib.auth import get_user_model

from .. import conf
from ..channels import registry
from ..channels.recipient import MAX_ADDRESS_CHARACTERS, USER_PREFIX, Recipient
from ..models import ContactPoint, Delivery
from ..rules import audiences
from ..templating import languages
from .wishes import read_wishes

# Of a row, beside the addresses, whose keys are names of channels.
LANGUAGE, TIME_ZONE = "@language", "@time_zone"


def columns_for(channels):
    """The columns that are read of each user for these channels: channel, LANGUAGE or TIME_ZONE → look-up."""
    paths = {channel: path for channel, path in registry.addresses().items() if channel in channels}
    paths |= {
        key: path
        for key, path in ((LANGUAGE, conf.get("LANGUAGE")), (TIME_ZONE, conf.get("TIME_ZONE")))
        if path
    }
    return {key: path.replace(".", "__") for key, path in paths.items()}


def read_page(users, columns, size):
    """Up to ``size`` rows of ``{"pk", "is_active", channel: address, …, LANGUAGE, TIME_ZONE}``. One query."""
    active = ["is_active"] if audiences.has_field(get_user_model(), "is_active") else []
    names = ["pk", *active, *columns.values()]
    rows = users.values_list(*names)[:size]
    return [dict(zip(["pk", *active, *columns], row, strict=True)) for row in rows]


def of_users(rows, channels):
    """Yield ``(channel, recipient, address, reason, language, time zone)``; a reason means that nothing can
    be sent.
    """
    keys = [row["pk"] for row in rows]
    points = {
        (user, channel): (address, verified)
        for user, channel, address, verified in ContactPoint.objects.filter(
            user__in=keys, channel__in=list(channels)
        ).values_list("user_id", "channel", "address", "verified")
    }
    wishes = read_wishes(keys)
    for row in rows:
        language, time_zone = wishes.get(row["pk"], ("", ""))
        language = languages.tag_of(language or row.get(LANGUAGE))
        time_zone = languages.zone_name(time_zone) or languages.zone_name(row.get(TIME_ZONE))
        recipient = str(Recipient.of_user(row["pk"]))
        for channel in channels:
            address, verified = points.get((row["pk"], channel), (str(row.get(channel) or ""), True))
            reason = ""
            if not row.get("is_active", True):
                reason = "inactive"
            elif not address.strip():
                reason = "no_address"
            elif not verified:
                reason = "unverified"
            yield channel, recipient, address.strip(), reason, language, time_zone


def of_addresses(event, subscription, step, addresses):
    """As ``of_users``, for plain addresses, without those that somebody in the audience already gets."""
    wanted = {
        (channel, address.strip()[:MAX_ADDRESS_CHARACTERS]): None
        for only, address in addresses
        for channel in ([only] if only else step["contents"])
        if channel in step["contents"]
    }
    taken = Delivery.objects.filter(event=event, subscription=subscription, recipient__startswith=USER_PREFIX)
    found = set(
        taken.filter(address__in=[address for _, address in wanted]).values_list("channel", "address")
    )
    met = set()
    for channel, address in wanted:
        if (channel, address) not in found:
            recipient = str(Recipient.of_address(address))
            if (channel, recipient) not in met:
                met.add((channel, recipient))
                yield channel, recipient, address, "", "", ""
