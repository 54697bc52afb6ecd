"""AWS, X, chats and the receivers of webhooks on one machine: starts moto and the stand-ins, and applies the
stack.
"""

import json
import os
from contextlib import closing
from functools import cache
from http.client import HTTPConnection

from moto import backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sqs.models import sqs_backends

from notifier.deploy.stack import Stack, apply

from . import outbox, pushes
from .chat import ROOMS, ChatStandIn
from .hooks import HookStandIn
from .lambda_account import LambdaAccount
from .permissions import UrlConditions
from .server import HOST, LoopbackServer
from .ses import EventDestinations
from .sms_voice import EndUserMessaging
from .x import XStandIn

REGION = "us-east-1"
SENDER = "notifier@example.com"
X_KEYS = {
    "X_CONSUMER_KEY": "local-consumer-key",
    "X_CONSUMER_SECRET": "local-consumer-secret",
    "X_ACCESS_TOKEN": "1-local-access-token",
    "X_ACCESS_TOKEN_SECRET": "local-access-token-secret",
}
SIGNING_KEYS = {"WEBHOOK_SIGNING_KEYS": "only-for-this-machine-and-for-its-own-webhooks"}

# moto reads the folder of its services twice a request, an eighth of what a request costs.
backends.list_of_moto_modules = cache(lambda found=backends.list_of_moto_modules: tuple(found()))


class LocalCloud:
    """A context manager inside which boto3 and the functions of this process, and of those it starts, use
    local servers.

    ``topic_arn``, ``queues`` and ``configuration_set`` are the applied stack's; ``x``, ``chat``, ``hooks``
    and ``sms_voice`` are the stand-ins for X, for chat services, for receivers of webhooks and for AWS End
    User Messaging. Starting it forgets what an
    earlier one in this process held: moto keeps its state per process, so there can be one at a time. Raises
    ConfigurationError when ``port`` or ``x_port`` is taken; 0 is any free port.

    The outage of a test: ``stop()``, then ``restart()`` on the same ports with queues and outbox as they
    were.

    ``front`` wraps the WSGI application that stands for AWS; ``stack`` False starts with an empty account,
    without topic.
    """

    def __init__(self, *, port=0, x_port=0, routes=None, sender=SENDER, front=lambda app: app, stack=True):
        self._routes, self._sender, self._stack = routes, sender, stack
        self.x = XStandIn(
            **{key.removeprefix("X_").lower(): value for key, value in X_KEYS.items()}, port=x_port
        )
        self.chat, self.hooks = ChatStandIn(), HookStandIn()
        # Functions of a stack that is made elsewhere have a database of their own.
        self._outbox = outbox.Outbox(region=REGION, x=self.x, chat=self.chat, hooks=self.hooks, inboxes=stack)
        moto = _completed(DomainDispatcherApplication(create_backend_app))
        self.sms_voice = EndUserMessaging(moto, region=REGION)
        self._aws = LoopbackServer(
            front(self._outbox.noting(self.sms_voice)),
            name="The local AWS",
            port=port,
            request_handler=MotoRequestHandler,
        )

    @property
    def url(self):
        """The address where the local AWS answers."""
        return self._aws.url

    def outbox(self):
        """Everything that was received so far, oldest first, as a list of OutboxMessage."""
        return self._outbox.read()

    def __enter__(self):
        self._saved = None
        try:
            self.restart()
            self._saved = _replace_environment(self._environment())
            self._reset()
            self.empty()
            if self._stack:
                self._apply()
        except BaseException:
            self.__exit__()
            raise
        outbox.current = self._outbox
        return self

    def __exit__(self, *exc_info):
        self.stop()
        outbox.current = None
        if self._saved is not None:
            _restore_environment(self._saved)

    def stop(self):
        """Close the servers, so that nobody listens; what they hold is kept."""
        self._aws.stop()
        self.x.stop()
        self.chat.stop()
        self.hooks.stop()

    def restart(self):
        """Open the servers again, after :meth:`stop`."""
        self._aws.start()
        self.x.start()
        self.chat.start()
        self.hooks.start()

    def empty(self):
        """Forget every message, mail, SMS and post; topic, queues and filters stay."""
        sqs = sqs_backends[DEFAULT_ACCOUNT_ID][REGION]
        for name, queue in list(sqs.queues.items()):
            # AWS allows one purge a minute: this one is not held back, and holds no later one back.
            queue.last_purged_at = None
            sqs.purge_queue(name)
            queue.last_purged_at = None
        self._outbox.clear()
        self.x.reset()
        self.chat.reset()
        self.hooks.reset()

    def _reset(self):
        # https://docs.getmoto.org/en/latest/docs/server_mode.html#reset-api
        with closing(HTTPConnection(HOST, self._aws.port)) as connection:
            connection.request("POST", "/moto-api/reset")
            connection.getresponse().read()
        self.sms_voice.reset()
        pushes.make_applications(REGION)

    def _apply(self):
        stack = Stack(
            region=REGION, sender=self._sender, **({"routes": self._routes} if self._routes else {})
        )
        applied = apply(stack)
        self.topic_arn, self.queues = applied.topic_arn, applied.queues
        self.configuration_set = applied.configuration_set or None

    def _environment(self):
        never_proxied = filter(None, [os.environ.get("NO_PROXY"), HOST])
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "X_API_URL": self.x.url,
            "CHAT_API_URL": self.chat.url,
            "CHAT_ROOMS": json.dumps(ROOMS),
            "NO_PROXY": ",".join(never_proxied),
            **X_KEYS,
            "WEBHOOK_CATCHER_URL": self.hooks.url,
            **SIGNING_KEYS,
            "PUSH_APPLICATIONS": pushes.application_arns(REGION),
        }


def _completed(app):
    """moto's application with what it lacks."""
    for part in (EventDestinations, UrlConditions, LambdaAccount, pushes.PushEndpoints):
        app = part(app, region=REGION)
    return app


def _replace_environment(wanted):
    """Set ``wanted``, and take every other AWS variable away: a profile or an endpoint of the person's own
    account would win over ours. Returns what was there, for :func:`_restore_environment`.
    """
    touched = wanted.keys() | {name for name in os.environ if name.startswith("AWS_")}
    saved = {name: os.environ.pop(name, None) for name in touched}
    os.environ.update(wanted)
    return saved


def _restore_environment(saved):
    for name, value in saved.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
