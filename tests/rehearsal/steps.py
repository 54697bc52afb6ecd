"""A rehearsal: a deployment from nothing to nothing, and what it meets that no page of AWS says."""

import re
import time
from contextlib import contextmanager, suppress
from threading import Thread

import boto3
from botocore.exceptions import BotoCoreError, ClientError

# https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator
SUCCESS, BOUNCE, COMPLAINT = (
    f"{name}@simulator.amazonses.com" for name in ("success", "bounce", "complaint")
)
LOOK_SECONDS = 5
# What takes longer is said not to have come.
PATIENCE_SECONDS = 15 * 60
OPEN = {"queued", "waiting", "standby", "claimed", "sending"}
CANARY = re.compile(r"canary: .+")
# Of the 200 mails a day of an account that SES has not looked at yet.
# https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html
MOST_POSTS = 100


class Rehearsal:
    """``deployment`` is an ``account.Deployment``; ``phone``, ``hook`` and ``mailbox`` may be blank.

    ``say`` gets each answer, a line or more; ``pause(seconds)`` lets time pass.
    """

    def __init__(self, deployment, *, phone="", hook="", mailbox="", say=print, pause=time.sleep):
        self._deployment, self._say, self._pause = deployment, say, pause
        self._mailbox = mailbox
        mails = [f"email: {each}" for each in (SUCCESS, BOUNCE, COMPLAINT, mailbox) if each]
        others = {"sms": phone, "webhook": hook}
        self._addresses = mails + [f"{channel}: {each}" for channel, each in others.items() if each]

    def play(self):
        """Play it to its end; what was made is removed whatever happens. Returns what is left all the same:
        nothing, if all went well.
        """
        try:
            self._deploy("deploy --all, into an account without it")
            self._say(f"doctor\n{self._deployment.examine().rstrip()}")
            self._send()
            self._update()
            with self._timed("undeploy --all"):
                self._deployment.undeploy()
            self._deploy("deploy --all, where all but the functions still stands")
            self._remove()
            self._deploy("deploy --all, just after all of it was deleted")
        finally:
            left = self._remove()
        return left

    def _deploy(self, title):
        with self._timed(title):
            printed = self._deployment.deploy()
        for line in CANARY.findall(printed):
            self._say(f"  {line}")

    def _send(self):
        """A message to each address; of a bounce and a complaint SES tells some seconds later."""
        self._deployment.call("set_up", addresses=self._addresses)
        self._deployment.call("post")
        self._wait(lambda messages: _have_ended(messages) and sum(map(_came_back, messages)) == 2)
        for each in self._messages():
            words = (each["status"], each["reason"], each["detail"], each["returned"])
            self._say(f"{each['channel']} to {each['address']}: {', '.join(filter(None, words))}")
        if self._mailbox:
            self._say(
                f"Look at the source of the mail to {self._mailbox}: h= of its DKIM-Signature must name "
                "list-unsubscribe and list-unsubscribe-post (RFC 8058)."
            )

    def _update(self):
        """All functions are replaced while mails flow; each mail has come, once."""
        self._deployment.call("set_up", addresses=[f"email: {SUCCESS}"])
        before, sent = len(self._messages()), _sent_by_ses()
        most = self._deployment.call("connections")
        updating, printed = self._deployment.deployer.start("update", "--all"), []
        reading = Thread(target=lambda: printed.append(updating.communicate()[0]), daemon=True)
        with self._timed("update --all, while mails flow"):
            reading.start()
            posts = 0
            while reading.is_alive():
                if posts < MOST_POSTS:
                    posts = self._deployment.call("post")
                found = self._deployment.call("connections")
                most = max(most, found, key=lambda each: each["open"])
                self._pause(LOOK_SECONDS)
            if updating.returncode:
                raise RuntimeError(printed[0])
        self._wait(_have_ended)
        mails = self._messages()[before:]
        arrived = sum(each["status"] == "sent" for each in mails)
        self._say(f"  {arrived} of {len(mails)} mails were sent, and SES counts {_sent_by_ses() - sent:.0f}")
        self._say(f"  at most {most['open']} of {most['most']} connections to the database were open")

    def _remove(self):
        for title, remove in (
            ("undeploy --all", self._deployment.undeploy),
            ("stack destroy", self._deployment.destroy),
            ("delete the secrets", self._deployment.forget_secrets),
        ):
            # What one of them leaves is told below, and the next one goes on.
            with suppress(AssertionError, BotoCoreError, ClientError), self._timed(title):
                remove()
        left = self._deployment.left()
        for each in left or ["nothing"]:
            self._say(f"  left: {each}")
        return left

    def _messages(self):
        return self._deployment.call("outcomes")["messages"]

    def _wait(self, holds):
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            found = self._deployment.call("outcomes")
            told = {each["event"] for each in found["messages"]}
            if len(told) == found["events"] and holds(found["messages"]):
                return
            self._pause(LOOK_SECONDS)
        self._say(f"  This has not come within {PATIENCE_SECONDS / 60:.0f} minutes:")

    @contextmanager
    def _timed(self, title):
        began = time.monotonic()
        try:
            yield
        except BaseException as error:
            self._say(f"{title}: FAILED\n{error}")
            raise
        self._say(f"{title}: {time.monotonic() - began:.0f} s")


def _have_ended(messages):
    return not OPEN & {each["status"] for each in messages}


def _came_back(message):
    return bool(message["returned"])


def _sent_by_ses():
    """https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html"""
    return boto3.client("sesv2").get_account()["SendQuota"]["SentLast24Hours"]
