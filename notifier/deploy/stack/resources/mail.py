"""The entries that SES needs: who sends, and where it tells what became of each mail."""

from .kind import Kind, unless

MISSING = ("NotFoundException",)
EVENTS = ["BOUNCE", "COMPLAINT", "DELIVERY", "DELIVERY_DELAY", "REJECT", "RENDERING_FAILURE"]


class Identities(Kind):
    """The sender.

    It can send once it is verified: SES writes to the address, or tells what to put into a domain's DNS.
    """

    label = "SES identity"
    needs_functions = False

    def wanted(self):
        return {self.stack.sender: {}} if self.stack.sender else {}

    def found(self):
        if not self.stack.sender:
            return {}
        answer = unless(
            MISSING, self.account.client("sesv2").get_email_identity, EmailIdentity=self.stack.sender
        )
        return {} if answer is None else {self.stack.sender: {}}

    def is_ours(self, name):
        """Somebody has verified it, and another environment may send as the same: it stays."""
        return False

    def create(self, name, attributes):
        self.account.client("sesv2").create_email_identity(EmailIdentity=name, Tags=self.account.tag_list)


class ConfigurationSets(Kind):
    """The set that a mail names to have its events published."""

    label = "SES configuration set"
    needs_functions = False

    def wanted(self):
        return {self.stack.name: {}} if self.stack.sender else {}

    def found(self):
        client = self.account.client("sesv2")
        return (
            {}
            if unless(MISSING, client.get_configuration_set, ConfigurationSetName=self.stack.name) is None
            else {self.stack.name: {}}
        )

    def create(self, name, attributes):
        self.account.client("sesv2").create_configuration_set(
            ConfigurationSetName=name, Tags=self.account.tag_list
        )

    def delete(self, name):
        unless(MISSING, self.account.client("sesv2").delete_configuration_set, ConfigurationSetName=name)


class EventDestinations(Kind):
    """From the configuration set to the topic of feedback.

    Both are there before: SES tries the topic at once.
    """

    label = "SES event destination"
    needs_functions = False

    @property
    def name(self):
        return f"{self.stack.name}-feedback"

    def wanted(self):
        if not self.stack.sender:
            return {}
        return {
            self.name: {"Enabled": True, "Events": EVENTS, "TopicArn": self.account.arn("sns", self.name)}
        }

    def found(self):
        client = self.account.client("sesv2")
        answer = (
            unless(
                MISSING, client.get_configuration_set_event_destinations, ConfigurationSetName=self.stack.name
            )
            or {}
        )
        return {
            each["Name"]: {
                "Enabled": each.get("Enabled", False),
                "Events": sorted(each["MatchingEventTypes"]),
                "TopicArn": each.get("SnsDestination", {}).get("TopicArn"),
            }
            for each in answer.get("EventDestinations", ())
            if each["Name"] == self.name
        }

    def create(self, name, attributes):
        self.account.client("sesv2").create_configuration_set_event_destination(**self._described(name))

    def change(self, name, attributes):
        self.account.client("sesv2").update_configuration_set_event_destination(**self._described(name))

    def delete(self, name):
        unless(
            MISSING,
            self.account.client("sesv2").delete_configuration_set_event_destination,
            ConfigurationSetName=self.stack.name,
            EventDestinationName=name,
        )

    def _described(self, name):
        attributes = self.wanted()[name]
        return {
            "ConfigurationSetName": self.stack.name,
            "EventDestinationName": name,
            "EventDestination": {
                "Enabled": attributes["Enabled"],
                "MatchingEventTypes": attributes["Events"],
                "SnsDestination": {"TopicArn": attributes["TopicArn"]},
            },
        }
