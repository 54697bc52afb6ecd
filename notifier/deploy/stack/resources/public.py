"""The access to the web function: everybody's, through its URL, and nobody's past it."""

import json

from .kind import Kind, unless

MISSING = ("ResourceNotFoundException",)
# Zappa's name for it; where a statement of this name is, Zappa adds none.
STATEMENT = "FunctionURLAllowPublicAccessInvoke"


class PublicAccess(Kind):
    """The second of the two statements that a public function URL needs.

    Zappa makes it without the condition. Then all who know the function's ARN may invoke it, and Zappa's
    handler runs any Python that an invocation holds as ``raw_command``.
    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    """

    label = "public access to"

    def wanted(self):
        return {
            function.name: {"only through its URL": True}
            for function in self.stack.functions
            if _is_public(function.config)
        }

    def needed(self, name):
        return name

    def found(self):
        found = {}
        for name in self.wanted():
            answer = unless(MISSING, self.account.client("lambda").get_policy, FunctionName=name)
            for statement in json.loads(answer["Policy"])["Statement"] if answer else ():
                if statement["Sid"] == STATEMENT:
                    condition = statement.get("Condition", {}).get("Bool", {})
                    found[name] = {
                        "only through its URL": condition.get("lambda:InvokedViaFunctionUrl") == "true"
                    }
        return found

    def create(self, name, attributes):
        self.account.client("lambda").add_permission(
            FunctionName=name,
            StatementId=STATEMENT,
            Action="lambda:InvokeFunction",
            Principal="*",
            InvokedViaFunctionUrl=True,
        )

    def change(self, name, attributes):
        self.delete(name)
        self.create(name, attributes)

    def delete(self, name):
        unless(
            MISSING, self.account.client("lambda").remove_permission, FunctionName=name, StatementId=STATEMENT
        )


def _is_public(config):
    # Zappa's own default for a function URL.
    return (
        bool(config.get("function_url_enabled"))
        and config.get("function_url_config", {}).get("authorizer", "NONE") == "NONE"
    )
