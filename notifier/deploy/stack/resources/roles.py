"""One role per function, with one policy: what the function calls, and what Lambda does in its name."""

import json

from .kind import Kind, policy, unless
from .permissions import statements_of

MISSING = ("NoSuchEntity",)
POLICY = "function"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


class Roles(Kind):
    """``OtherPolicies`` are those that somebody has added by hand: the role is for what is written here."""

    label = "role"

    @property
    def path(self):
        return f"/{self.stack.name}/"

    def wanted(self):
        return {
            function.name: {
                "Trust": TRUST,
                "Policy": policy(*statements_of(function, self.account)),
                "OtherPolicies": [],
            }
            for function in self.stack.functions
        }

    def found(self):
        iam = self.account.client("iam")
        roles = [
            role
            for page in iam.get_paginator("list_roles").paginate(PathPrefix=self.path)
            for role in page["Roles"]
        ]
        return {
            role["RoleName"]: {"Trust": role["AssumeRolePolicyDocument"], **self._policies(role["RoleName"])}
            for role in roles
        }

    def create(self, name, attributes):
        unless(
            ("EntityAlreadyExists",),
            self.account.client("iam").create_role,
            RoleName=name,
            Path=self.path,
            AssumeRolePolicyDocument=json.dumps(attributes["Trust"]),
            Tags=self.account.tag_list,
        )
        self._put_policy(name, attributes["Policy"])

    def change(self, name, attributes):
        if "Trust" in attributes:
            iam = self.account.client("iam")
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(attributes["Trust"]))
        if "Policy" in attributes:
            self._put_policy(name, attributes["Policy"])
        if "OtherPolicies" in attributes:
            self._strip(name, keep=POLICY)

    def delete(self, name):
        self._strip(name)
        unless(MISSING, self.account.client("iam").delete_role, RoleName=name)

    def _policies(self, name):
        inline, attached = self._names(name)
        answer = POLICY in inline and unless(
            MISSING, self.account.client("iam").get_role_policy, RoleName=name, PolicyName=POLICY
        )
        others = [each for each in inline if each != POLICY] + attached
        return {"Policy": answer["PolicyDocument"] if answer else None, "OtherPolicies": sorted(others)}

    def _names(self, name):
        """Names of the inline policies, ARNs of the attached ones."""
        iam = self.account.client("iam")
        inline = unless(MISSING, iam.list_role_policies, RoleName=name) or {}
        attached = unless(MISSING, iam.list_attached_role_policies, RoleName=name) or {}
        return inline.get("PolicyNames", []), [
            each["PolicyArn"] for each in attached.get("AttachedPolicies", ())
        ]

    def _put_policy(self, name, document):
        self.account.client("iam").put_role_policy(
            RoleName=name, PolicyName=POLICY, PolicyDocument=json.dumps(document)
        )

    def _strip(self, name, keep=None):
        iam = self.account.client("iam")
        inline, attached = self._names(name)
        for each in inline:
            if each != keep:
                iam.delete_role_policy(RoleName=name, PolicyName=each)
        for arn in attached:
            iam.detach_role_policy(RoleName=name, PolicyArn=arn)
