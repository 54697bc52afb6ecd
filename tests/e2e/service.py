"""AWS on one machine, with the Lambda service that moto leaves out: deployed packages run under AWS's runtime
client.
"""

import json
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp
from urllib.request import Request, urlopen

from notifier.local.cloud import LocalCloud

from .blocked_names import BlockedNames
from .front import Front
from .function_url import request_url
from .functions import Functions
from .lambda_api import LambdaApi
from .logs import LogWriter, read_log
from .packages import Packages
from .polling import Polling
from .runtimes import RuntimeClients
from .schedules import tick_schedules

# A machine that is so much slower than Lambda's deploys and uses the product as well.
SLOWNESS = 20


class LambdaService:
    """A context manager: inside it, boto3 and the Zappa of this process and of those it starts deploy to this
    service.

    Only what was uploaded runs, each function from a folder of its own, with the environment that it was
    given and ``edges`` besides. With ``enforce_roles`` a function may do what its role's policies allow, and
    nothing else. ``cloud`` is the LocalCloud behind it: ``cloud.outbox()``, ``cloud.x``. One at a time in a
    process. A function has ``slowness`` times the time that Lambda gives it: as much slower may this machine
    be. ``slow_roles``: so many functions are refused at first, as if IAM had not spread their roles.
    ``blocked_seconds``: so long no queue is made by the name of one that was deleted.
    """

    def __init__(self, *, enforce_roles=False, edges=None, slowness=1, slow_roles=0, blocked_seconds=0):
        self._root = Path(mkdtemp(prefix="lambda-service-"))
        self._edges = edges or {}
        self._functions = Functions(
            packages=Packages(self._root),
            clients=RuntimeClients(self._root / "runtime"),
            logs=LogWriter(lambda: self.url),
            edges=self._all_edges,
            root=self._root,
            slowness=slowness,
        )
        self._lambda_api = LambdaApi(functions=self._functions, url=lambda: self.url, slow_roles=slow_roles)
        self.blocked_names = BlockedNames(blocked_seconds)
        self._front = Front(self._lambda_api, self.blocked_names, enforce_roles=enforce_roles)
        self._polling = Polling(
            functions=self._functions, url=lambda: self.url, wait_for_events=self._lambda_api.wait
        )
        self.cloud = LocalCloud(front=self._front.wrap, stack=False)

    def __enter__(self):
        with ExitStack() as undo:
            undo.callback(shutil.rmtree, self._root, ignore_errors=True)
            undo.enter_context(self.cloud)
            undo.callback(self._functions.stop)
            undo.callback(self._lambda_api.wait)
            undo.callback(self._polling.stop)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *exc_info):
        self._undo.close()

    def reset(self, *, enforce_roles=False):
        """Begin anew with an empty account, at the same address: for the next test."""
        self.stop()
        self._lambda_api.wait()
        self._functions.stop()
        # https://docs.getmoto.org/en/latest/docs/server_mode.html#reset-api
        urlopen(Request(f"{self.url}/moto-api/reset", method="POST")).close()
        self.cloud.empty()
        self._front.calls.clear()
        self._front.enforce_roles = enforce_roles
        return self

    @property
    def url(self):
        """What AWS_ENDPOINT_URL should be."""
        return self.cloud.url

    @property
    def calls(self):
        """Every signed AWS request so far: a list of Call, whose ``who`` is a function's name or
        "deployer".
        """
        return list(self._front.calls)

    def calls_of(self, who):
        return [call for call in self.calls if call.who == who]

    def invoke(self, name, payload=None, qualifier=None):
        """Run function ``name`` with ``payload`` (data for JSON) and wait.

        Returns an Outcome; ``outcome.json()`` is its answer.
        """
        return self._functions.invoke(
            name, json.dumps({} if payload is None else payload).encode(), qualifier
        )

    def request(self, name, method, target, **details):
        """A request to the function's URL, as a browser sends it: ``headers``, ``body``, ``cookies``,
        ``source_ip``.

        ``target`` is path and query. Returns a UrlResponse. Raises LookupError for a function without a URL.
        """
        return request_url(self._functions, name, method, target, **details)

    def start(self):
        """Serve the event source mappings in the background, also those that are made later."""
        self._polling.start()

    def stop(self):
        """Read the queues no more; batches under way end first."""
        self._polling.stop()

    def poll(self):
        """Handle one batch of each enabled mapping, in this thread. Returns how many messages there were."""
        return self._polling.poll()

    def drain(self):
        """Serve the mappings until their queues are empty. Raises AssertionError, with what is left."""
        self._polling.drain()

    @property
    def pollers(self):
        """The ids of the mappings that are being served now."""
        return self._polling.served

    def tick_schedules(self):
        """Let each enabled rule with a schedule call its functions once. Returns a list of Tick."""
        return tick_schedules(self._functions)

    def logs(self, name):
        """What function ``name`` wrote to its log group, as text."""
        return read_log(f"/aws/lambda/{name}", self.url)

    def imported_files(self, name):
        """Paths that the function's environments of this moment have imported."""
        return set().union(
            *(environment.imported_files for environment in self._functions.environments(name))
        )

    def environments(self, name):
        """The process ids of the function's environments of this moment."""
        return [environment.pid for environment in self._functions.environments(name)]

    def cold_start(self, name, payload=None):
        """Seconds from the start of a new process to its first answer.

        Raises AssertionError when that is an error.
        """
        outcome, seconds = self._functions.invoke_cold(
            name, json.dumps({} if payload is None else payload).encode()
        )
        outcome.json()
        return seconds

    def _all_edges(self):
        return {
            "AWS_ENDPOINT_URL": self.url,
            "X_API_URL": self.cloud.x.url,
            "CHAT_API_URL": self.cloud.chat.url,
            "NO_PROXY": "127.0.0.1",
            # Nothing of the person who runs this: a function has a home of its own on AWS.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **self._edges,
        }
