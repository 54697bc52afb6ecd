"""What the checks look at: the settings file, the deployment that it declares, and AWS with little patience. Next: ``checks``."""

from functools import cached_property
from threading import RLock

import boto3
from botocore.config import Config
from django.conf import settings

from .stages import read_stages

# A person waits for the page, and a dead service must not hold the others.
PATIENCE = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2})
WEB = "web"


class Context:
    """One visit of the doctor. ``stage`` "" is this process and the account that its credentials reach.

    ``patience`` is the botocore Config of every call; ``session`` is a boto3 session, or None for the environment's.
    """

    def __init__(self, stage="", *, settings_file="zappa_settings.json", session=None, patience=PATIENCE):
        self.stage, self.settings_file = stage, settings_file
        self.session = session or boto3.session.Session()
        # Not only ours: the stack's plan makes its clients from this session, too.
        self.session._session.set_default_client_config(patience)
        self._lock, self._clients, self._configurations = RLock(), {}, {}

    @cached_property
    def stages(self):
        """Every stage of the settings file with what it extends merged in. Raises OSError or ValueError."""
        return read_stages(self.settings_file)

    @cached_property
    def deployment(self):
        """The deployment that ``stage`` declares, or None without a stage."""
        if not self.stage:
            return None
        # Not at the top: on Lambda there is no stack to look at.
        from project.stack.stages import read_deployment

        return read_deployment(self.stage, settings_file=self.settings_file)

    @property
    def functions(self):
        return list(self.deployment.functions) if self.deployment else []

    @property
    def web(self):
        return next((function for function in self.functions if function.module == WEB), None)

    def has(self, module):
        """Whether the function of ``module`` is looked at; without a stage all channels are."""
        return not self.deployment or any(function.module == module for function in self.functions)

    def client(self, service, config=None):
        """A boto3 client. Shared by the checks' threads: clients may be, the making of them may not."""
        with self._lock:
            key = service, config and id(config)
            if key not in self._clients:
                self._clients[key] = self.session.client(service, config=config)
            return self._clients[key]

    def configuration(self, function):
        """What Lambda says about ``function``, asked once, or None where it is not deployed."""
        with self._lock:
            if function.name not in self._configurations:
                lambdas = self.client("lambda")
                try:
                    found = lambdas.get_function_configuration(FunctionName=function.name)
                except lambdas.exceptions.ResourceNotFoundException:
                    found = None
                self._configurations[function.name] = found
            return self._configurations[function.name]

    def environment(self, function):
        """The environment variables that ``function`` was deployed with; empty where it is not deployed."""
        return (self.configuration(function) or {}).get("Environment", {}).get("Variables", {})

    @property
    def sender(self):
        """The From of the mails: the deployed one, else the one of this process's settings."""
        deployed = self.environment(self.web).get("DEFAULT_FROM_EMAIL") if self.web else None
        return deployed or settings.DEFAULT_FROM_EMAIL
