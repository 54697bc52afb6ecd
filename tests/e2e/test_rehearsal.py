"""``make rehearsal``, which is for a real account, as far as moto goes: all but a webhook, whose address must
be a public one.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from tests.rehearsal.account import Deployment, Person
from tests.rehearsal.steps import Rehearsal
from tests.support.pins import HOUSE

from .deployer import Deployer, new_database
from .service import SLOWNESS, LambdaService

SENDER = "Rehearsal <rehearsal@example.org>"


@pytest.fixture
def service():
    with LambdaService(enforce_roles=True, slowness=SLOWNESS) as service:
        service.start()
        yield service


def test_a_rehearsal_tells_what_it_met_and_leaves_nothing(service, tmp_path):
    deployment = Deployment(
        Deployer(tmp_path, service.url), name="rehearsal", channels=["sms"], sender=SENDER,
        database_url=new_database("rehearsal"),
    )  # fmt: skip
    said = []

    def pause(_seconds):
        service.tick_schedules()

    assert Rehearsal(deployment, phone="+447400123401", say=said.append, pause=pause).play() == []
    told = "\n".join(said)
    print(told)
    for line in (
        "email to success@simulator.amazonses.com: sent",
        "email to bounce@simulator.amazonses.com: sent, bounced",
        "email to complaint@simulator.amazonses.com: sent, complained",
        "sms to +447400123401: sent",
        "  left: nothing",
    ):
        assert line in said
    assert "FAILED" not in told
    arrived, made, counted = re.search(r"(\d+) of (\d+) mails were sent, and SES counts (\d+)", told).groups()
    assert arrived == made == counted


def rehearse(*arguments, **variables):
    """The command, and what it says on its way out."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.rehearsal", *arguments],
        cwd=HOUSE, env=os.environ | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_a_rehearsal_without_a_database_or_with_a_sender_that_ses_does_not_know_does_not_begin(service):
    code, said = rehearse("--sender", "you@example.org", REHEARSAL_DATABASE_URL="")
    assert (code, "REHEARSAL_DATABASE_URL is missing" in said) == (2, True), said
    code, said = rehearse("--sender", "You <you@example.org>", REHEARSAL_DATABASE_URL="postgres://db.example")
    assert (code, "aws sesv2 create-email-identity --email-identity you@example.org" in said) == (2, True), (
        said
    )
    assert not boto3.client("lambda").list_functions()["Functions"]


def test_a_rehearsal_is_in_the_account_that_the_persons_own_variables_reach(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    found = Person(tmp_path).shell("env")
    assert "AWS_PROFILE=mine" in found
    assert f"AWS_CONFIG_FILE={Path.home()}/.aws/config" in found
    assert "AWS_ENDPOINT_URL" not in found
    assert "AWS_ACCESS_KEY_ID" not in found
