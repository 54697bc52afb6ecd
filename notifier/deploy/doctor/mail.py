"""Checks that SES takes our mails: the sender is known and signed for, and the account may send to
everybody.
"""

from notifier.channels.sender import address_of
from notifier.exceptions import SenderRefused

from .findings import error, warning

NEARLY_USED = 0.8


def check_sender(context):
    """The From address, or a domain that covers it, has to be verified: an identity of a domain covers its
    subdomains.

    https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
    """
    try:
        address = address_of(context.sender())
    except SenderRefused as refused:
        yield error(
            f"There is no sender: DEFAULT_FROM_EMAIL cannot be used, {refused}.",
            "Set DEFAULT_FROM_EMAIL to an address of your domain.",
        )
        return
    domain = address.rpartition("@")[2]
    known = _identities(context.client("sesv2"), [address, *_with_parents(domain)])
    verified = {name: found for name, found in known.items() if found.get("VerifiedForSendingStatus")}
    if not known:
        yield error(
            f"SES does not know the sender {address}, nor its domain: every mail is refused.",
            f"aws sesv2 create-email-identity --email-identity {domain}   then publish the "
            "CNAME records that it answers with.",
        )
    elif not verified:
        name = list(known)[-1]
        yield error(f"SES has not verified {name} yet: every mail is refused.", _verify(name))
    else:
        yield from _check_signature(*list(verified.items())[-1])


def _check_signature(name, identity):
    status = identity.get("DkimAttributes", {}).get("Status", "NOT_STARTED")
    if "@" in name:
        domain = name.rpartition("@")[2]
        yield warning(
            f"Only the address {name} is verified, not its domain: mails are not signed for it "
            "and land in spam folders.",
            f"aws sesv2 create-email-identity --email-identity {domain}   then publish the "
            "CNAME records that it answers with.",
        )
    elif status != "SUCCESS":
        yield warning(
            f"Mails from {name} are not signed (DKIM is {status}) and land in spam folders.", _verify(name)
        )


def check_account(context):
    """Sandbox, pause and daily quota:
    https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
    """
    account = context.client("sesv2").get_account()
    if not account.get("SendingEnabled", True):
        yield error(
            "SES sends nothing: sending is paused for the account.",
            "aws sesv2 put-account-sending-attributes --sending-enabled",
        )
    status = account.get("EnforcementStatus", "HEALTHY")
    if status != "HEALTHY":
        say = error if status == "SHUTDOWN" else warning
        yield say(
            f"SES has put the account under {status}, for bounces or complaints.",
            "Open the SES console, Reputation metrics, and answer AWS's case.",
        )
    if not account.get("ProductionAccessEnabled", True):
        yield warning(
            "SES is in its sandbox: it sends to verified addresses only, 200 mails a day.",
            "Ask for production access: SES console, Account dashboard, Request production access.",
        )
    yield from _check_quota(account.get("SendQuota", {}))


def _check_quota(quota):
    limit, sent = quota.get("Max24HourSend", -1), quota.get("SentLast24Hours", 0)
    # -1 stands for no limit.
    if limit > 0 and sent >= NEARLY_USED * limit:
        say = error if sent >= limit else warning
        yield say(
            f"{sent:.0f} of the {limit:.0f} mails that SES sends in 24 hours are used.",
            "Ask for more: Service Quotas console, Amazon SES, Sending quota.",
        )


def _identities(ses, names):
    """The answers of SES about ``names``: the address first, the widest domain last."""
    found = {}
    for name in names:
        try:
            found[name] = ses.get_email_identity(EmailIdentity=name)
        except ses.exceptions.NotFoundException:
            continue
    return found


def _with_parents(domain):
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]


def _verify(name):
    if "@" in name:
        return f"Click the link in the mail that SES has sent to {name}."
    return (
        f"Publish the CNAME records: aws sesv2 get-email-identity --email-identity {name} --query "
        "DkimAttributes.Tokens"
    )
