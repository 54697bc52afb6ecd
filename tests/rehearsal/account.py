"""A throw-away deployment in an account: what a person at a terminal does with it, and what stands there of
its name.
"""

import json
import os
import secrets
import shutil
from pathlib import Path

import boto3

from tests.e2e.deployer import Deployer

ALWAYS = ("", "fanout", "sweep", "email", "feedback")
ENVIRONMENT = "production"
INSIDE = Path(__file__).with_name("inside.py")


class Deployment:
    """``name`` is the project's; ``channels``: which of ``sms`` and ``webhook`` it has as well."""

    def __init__(self, deployer, *, name, channels, sender, database_url):
        self.deployer, self.name = deployer, f"{name}-{ENVIRONMENT}"
        self._database_url = database_url
        path = deployer.folder / "zappa_settings.json"
        kept = [f"{ENVIRONMENT}_{module}".rstrip("_") for module in (*ALWAYS, *channels)]
        stages = json.loads(path.read_text())
        stages = {stage: values for stage, values in stages.items() if stage in kept}
        stages[ENVIRONMENT]["project_name"] = name
        stages[ENVIRONMENT]["aws_environment_variables"]["DEFAULT_FROM_EMAIL"] = sender
        path.write_text(json.dumps(stages, indent=4))
        shutil.copy(INSIDE, deployer.folder / "project" / "rehearsal.py")

    def deploy(self):
        """Put its secrets and deploy all; returns what was printed."""
        values = {
            "DATABASE_URL": self._database_url,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "WEBHOOK_SIGNING_KEYS": secrets.token_urlsafe(32),
        }
        for name, value in values.items():
            boto3.client("ssm").put_parameter(
                Name=f"/{self.name}/{name}", Value=value, Type="SecureString", Overwrite=True
            )
        return self.deployer.zappa("deploy", "--all")

    def examine(self):
        """What the doctor prints, whatever it finds."""
        return self.deployer.shell(f"python manage.py doctor {ENVIRONMENT} || true")

    def call(self, act, **arguments):
        """The answer of a function of ``inside``. Raises RuntimeError with what it says when it fails."""
        payload = {"command": f"project.rehearsal.{act}", **arguments}
        answer = boto3.client("lambda").invoke(FunctionName=self.name, Payload=json.dumps(payload).encode())
        result = json.loads(answer["Payload"].read() or "null")
        if "FunctionError" in answer:
            raise RuntimeError(f"{act} failed: {result}")
        return result

    def undeploy(self):
        self.deployer.zappa("undeploy", "--all", "--yes", "--remove-logs")

    def destroy(self):
        self.deployer.manage("stack", "destroy", ENVIRONMENT, "--yes")

    def forget_secrets(self):
        for name in self._parameters():
            boto3.client("ssm").delete_parameter(Name=name)

    def left(self):
        """What stands in the account under its name: ``["queue https://…", …]``."""
        return [f"{kind} {name}" for kind, names in self._standing().items() for name in names]

    def _standing(self):
        def named(service, operation, key, name):
            found = boto3.client(service).get_paginator(operation).paginate()
            names = [name(row) for page in found for row in page.get(key, ())]
            return [each for each in names if self.name in each]

        return {
            "function": named("lambda", "list_functions", "Functions", lambda row: row["FunctionName"]),
            "mapping": named(
                "lambda", "list_event_source_mappings", "EventSourceMappings", lambda row: row["FunctionArn"]
            ),
            "queue": named("sqs", "list_queues", "QueueUrls", str),
            "topic": named("sns", "list_topics", "Topics", lambda row: row["TopicArn"]),
            "role": named("iam", "list_roles", "Roles", lambda row: row["RoleName"]),
            "log group": named("logs", "describe_log_groups", "logGroups", lambda row: row["logGroupName"]),
            "alarm": named("cloudwatch", "describe_alarms", "MetricAlarms", lambda row: row["AlarmName"]),
            "rule": named("events", "list_rules", "Rules", lambda row: row["Name"]),
            "secret": self._parameters(),
        }

    def _parameters(self):
        pages = boto3.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=f"/{self.name}")
        return [row["Name"] for page in pages for row in page["Parameters"]]


class Person(Deployer):
    """As a Deployer, in the account that the variables of this process reach."""

    def __init__(self, folder):
        super().__init__(folder, url="", suited=False)
        home = Path.home() / ".aws"
        files = {"AWS_CONFIG_FILE": home / "config", "AWS_SHARED_CREDENTIALS_FILE": home / "credentials"}
        own = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        others = {name: value for name, value in self._environment.items() if not name.startswith("AWS_")}
        self._environment = others | {name: str(path) for name, path in files.items()} | own
