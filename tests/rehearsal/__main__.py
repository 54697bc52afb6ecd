"""``make rehearsal``: deploy to a real account under a throw-away name, use it, and take it down again.

It costs less than a dollar. The database must be PostgreSQL that Lambda reaches, and be for this alone: its
tables stay. The sender must be verified at SES already; mails go to SES's mailbox simulator.
"""

import argparse
import os
import secrets
import sys
import tempfile
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .account import Deployment, Person
from .steps import Rehearsal

DATABASE = "REHEARSAL_DATABASE_URL"


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.rehearsal", description=__doc__)
    parser.add_argument("--sender", required=True, help="An address, or its domain, that SES knows.")
    parser.add_argument("--sms", default="", metavar="NUMBER", help="One SMS, to a number of the sandbox.")
    parser.add_argument("--webhook", default="", metavar="URL", help="One webhook.")
    parser.add_argument("--mailbox", default="", metavar="ADDRESS", help="One mail more, to read its source.")
    parser.add_argument("--yes", action="store_true", help="Do not ask.")
    arguments = parser.parse_args()
    if not (database := os.environ.get(DATABASE)):
        parser.error(f"{DATABASE} is missing: of a database that Lambda reaches and nothing else uses.")
    name = f"rehearsal-{secrets.token_hex(3)}"
    try:
        where = place(arguments.sender)
    except (BotoCoreError, ClientError, LookupError) as error:
        parser.error(str(error))
    print(f"{name}: {where}. Everything of that name is made, used and deleted, in about half an hour.")
    if not arguments.yes and input(f'Type "{name}" to begin: ') != name:
        sys.exit("Nothing was done.")
    channels = [channel for channel in ("sms", "webhook") if getattr(arguments, channel)]
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(
            Person(Path(folder)), name=name, channels=channels, sender=arguments.sender, database_url=database
        )
        left = Rehearsal(
            deployment, phone=arguments.sms, hook=arguments.webhook, mailbox=arguments.mailbox
        ).play()
    sys.exit(1 if left else 0)


def place(sender):
    """Which account and region it is. Raises LookupError where SES does not take the sender."""
    ses, address = boto3.client("sesv2"), sender.rpartition("<")[2].rstrip("> ")
    for identity in address, address.rpartition("@")[2]:
        try:
            if ses.get_email_identity(EmailIdentity=identity)["VerifiedForSendingStatus"]:
                account = boto3.client("sts").get_caller_identity()["Account"]
                return f"account {account}, {ses.meta.region_name}"
        except ses.exceptions.NotFoundException:
            continue
    raise LookupError(
        f"SES has not verified {address}, nor its domain. First: aws sesv2 create-email-identity "
        f"--email-identity {address}, and the link in the mail that it sends."
    )


if __name__ == "__main__":
    main()
