"""``make rehearsal``, which is for a real account, as far as moto goes: all but a webhook, whose address must
be a public one.
"""

import re

import pytest

from tests.rehearsal.account import Deployment
from tests.rehearsal.steps import Rehearsal

from .deployer import Deployer
from .service import SLOWNESS, LambdaService
from .test_own_project import new_database

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
