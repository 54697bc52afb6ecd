"""Reasons and times in words. Called by ``recorded``, ``delivered`` and ``foreseen``, and by the admin's
pages.
"""

from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy as _

from ..templating.times import local

# What the pipeline itself writes, and what channels write in common. A reason that is not here is shown as it
# is.
REASONS = {
    "not_on_allow_list": _("this stage does not deliver to that address."),
    "rate": _("more than the provider takes at a time was to be sent."),
    "inactive": _("the account is not active."),
    "user_deleted": _("the account was deleted."),
    "no_address": _("the person has no address on this channel."),
    "no_device": _(
        "the person has no device that can be sent to: nobody has signed in on the app, or it was removed."
    ),
    "gone": _("the address is not there any more, says whoever received for it; nothing more is sent there."),
    "redirected": _("the receiver sends requests elsewhere, and redirects are not followed."),
    "tls_failed": _("no encrypted connection was made: its certificate may be out of date."),
    "bad_json": _("the rendered text begins like JSON and is none."),
    "provider_failed": _("the provider had a failure of its own."),
    "partly_sent": _("the service took one part of it and refused another."),
    "unverified": _("the address is not verified."),
    "opted_out": _("the person has opted out."),
    "quiet_hours": _("these are the person’s quiet hours."),
    "suppressed": _("nothing more is sent to this address."),
    "invalid_address": _("the address cannot be used."),
    "template_failed": _("rendering it stopped."),
    "template_deleted": _("its version is not there any more."),
    "gave_up": _("it was given up."),
    "crashed": _("the function ended while the provider was being called."),
    "refused": _("the provider refused it."),
    "message_rejected": _("the provider refused the message."),
    "bad_request": _("the provider could not read the request."),
    "sender_not_verified": _("the provider does not know the sender’s domain as ours."),
    "account_suspended": _("the provider has suspended our account."),
    "sending_paused": _("the provider has paused our sending."),
    "limit_exceeded": _("our limit at the provider was reached."),
    "access_denied": _("our function may not send by this provider."),
    "unauthorized": _("the provider does not accept our credentials."),
    "forbidden": _("the provider does not allow it."),
    "error": _("the channel itself failed."),
    "throttled": _("the provider asked for more time."),
    "no_credits": _("our account at the provider has no credit left."),
    "unanswered": _("the function that was to send it ended without an answer."),
    "unsettled": _("it may have been sent; the provider is asked, and it is sent if it was not."),
    "cannot_tell": _("the provider cannot tell whether it has it."),
    "timeout": _("the provider did not answer in time."),
    "unreachable": _("the provider could not be reached."),
    "empty": _("there was nothing to say: the rendered text was empty."),
    "too_long": _("the text was too long."),
    "too_dear": _("it would have cost more than it may."),
    "duplicate": _("the provider had this text already."),
    "not_configured": _("the channel is not set up."),
    "expired": _("its time was over: it would have come too late."),
    "read": _("it was read in the inbox before."),
    "not_needed": _("it was sent on the channel before, and nothing came back."),
    "cooldown": _("the person had heard of the same object not long before."),
    "digest": _("it is gathered with others that come, and goes with them as one message."),
    "if_unread": _("it goes only if it is still unread in the inbox then."),
}
# The provider's word for “later”, and the rule's for “no more”.
SKIPPED = {"throttled": _("the person has had as many as the subscription allows.")}


def moment(time):
    """A time to the second, in the site's time zone, which it names."""
    named = local(time)
    return f"{date_format(named, 'j M Y, H:i:s')} {named.tzname()}"


def words_of(row):
    """The reason why a delivery, or an attempt at one, ended as it did: in words, then the provider's own."""
    ours = SKIPPED.get(row.reason) if row.status == "skipped" else None
    words = str(ours or REASONS.get(row.reason) or f"{spelled(row.reason)}.")
    return f"{words} {row.detail}".strip() if row.detail and row.detail != row.reason else words


def spelled(reason):
    """A reason's code as people read it in a list: “message rejected”."""
    return reason.replace("_", " ") or gettext("no reason was given")
