"""The things that the checks look at: the settings file, the deployment that it declares, and AWS with little
patience.
"""

import json
from functools import cached_property
from pathlib import Path
from threading import RLock

import boto3
from botocore.config import Config
from django.conf import settings

# A person waits for the page, and a dead service must not hold the others.
PATIENCE = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2})


class HurriedSession(boto3.session.Session):
    """A session whose clients have ``patience``, whatever they are made with: the stack's plan would try for
    minutes.
    """

    patience = PATIENCE

    def client(self, *arguments, config=None, **options):
        return super().client(*arguments, config=(config or Config()).merge(self.patience), **options)


class Context:
    """One visit of the doctor. ``stage`` "" is this process and the account that its credentials reach.

    Raises ConfigurationError when the stage is not in the settings file. ``patience`` is the botocore Config
    of every call.
    """

    def __init__(self, stage="", *, settings_file="zappa_settings.json", patience=PATIENCE):
        self.settings_file = settings_file
        self.deployment = self._read(stage) if stage else None
        self.stage = self.deployment.name if stage else ""
        config = self.deployment.web.config if stage else {}
        self._options = {"region_name": config.get("aws_region"), "profile_name": config.get("profile_name")}
        self.session = HurriedSession(**self._options)
        self.session.patience = patience
        self._lock, self._clients, self._configurations = RLock(), {}, {}

    @cached_property
    def deployments(self):
        """The one that is looked at, or all that the settings file declares.

        Raises ConfigurationError, OSError or ValueError.
        """
        if self.deployment:
            return [self.deployment]
        stages = json.loads(Path(self.settings_file).read_text())
        return list({found.name: found for found in map(self._read, stages)}.values())

    @property
    def functions(self):
        return self.deployment.functions if self.deployment else ()

    def has(self, module):
        """Whether the function of ``module`` is looked at; without a stage all channels are."""
        return not self.deployment or any(function.module == module for function in self.functions)

    def client(self, service):
        """A boto3 client. Shared by the checks' threads: clients may be, the making of them may not."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self.session.client(service)
            return self._clients[service]

    def patient_client(self, service, config):
        """A client with a patience of its own."""
        with self._lock:
            return boto3.session.Session(**self._options).client(service, config=config)

    def configuration(self, function):
        """The answer of Lambda about ``function``, asked once, or None where it is not deployed."""
        with self._lock:
            if function.name not in self._configurations:
                client = self.client("lambda")
                try:
                    found = client.get_function_configuration(FunctionName=function.name)
                except client.exceptions.ResourceNotFoundException:
                    found = None
                self._configurations[function.name] = found
            return self._configurations[function.name]

    def environment(self, function):
        """The environment variables that ``function`` was deployed with; empty where it is not deployed."""
        return (self.configuration(function) or {}).get("Environment", {}).get("Variables", {})

    def mappings(self, function):
        """The event source mappings that feed ``function``."""
        pages = self.client("lambda").get_paginator("list_event_source_mappings").paginate()
        listed = [mapping for page in pages for mapping in page["EventSourceMappings"]]
        return [mapping for mapping in listed if mapping["FunctionArn"].split(":")[6] == function.name]

    def sender(self):
        """The From of the mails: that of the deployed website, or of this process's settings."""
        deployed = self.environment(self.deployment.web) if self.deployment else {}
        return deployed.get("DEFAULT_FROM_EMAIL") or settings.DEFAULT_FROM_EMAIL

    def _read(self, stage):
        # Not at the top: on Lambda there is no stack.
        from notifier.deploy.stack.stages import read_deployment

        return read_deployment(stage, settings_file=self.settings_file)
