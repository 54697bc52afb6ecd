"""The entries that AWS End User Messaging needs where it sends the SMS: the set that each message names, and
where it tells what became of it.

https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets.html
"""

from .kind import Kind, unless

SERVICE = "pinpoint-sms-voice-v2"
MISSING, DENIED = ("ResourceNotFoundException",), "AccessDeniedException"
EVENTS = ["TEXT_ALL"]


class SmsKind(Kind):
    """Both are of the one set, which has the stack's name."""

    needs_functions = False

    @property
    def client(self):
        return self.account.client(SERVICE)

    def described(self):
        """AWS's answer about the set, or None. Who sends no SMS this way may have no right to ask, or be in a
        region without the service.
        """
        if not self.stack.texts and not self.account.is_offered(SERVICE):
            return None
        none = MISSING if self.stack.texts else (*MISSING, DENIED)
        names = {"ConfigurationSetNames": [self.stack.name]}
        answer = unless(none, self.client.describe_configuration_sets, **names)
        return answer["ConfigurationSets"][0] if answer else None


class SmsConfigurationSets(SmsKind):
    label = "SMS configuration set"

    def wanted(self):
        return {self.stack.name: {}} if self.stack.texts else {}

    def found(self):
        return {self.stack.name: {}} if self.described() else {}

    def create(self, name, attributes):
        self.client.create_configuration_set(ConfigurationSetName=name, Tags=self.account.tag_list)

    def delete(self, name):
        unless(MISSING, self.client.delete_configuration_set, ConfigurationSetName=name)


class SmsEventDestinations(SmsKind):
    """From the set to the topic of feedback."""

    label = "SMS event destination"

    @property
    def name(self):
        return f"{self.stack.name}-feedback"

    def wanted(self):
        topic = self.account.arn("sns", self.name)
        return {self.name: {"Enabled": True, "Events": EVENTS, "TopicArn": topic}} if self.stack.texts else {}

    def found(self):
        return {
            each["EventDestinationName"]: {
                "Enabled": each["Enabled"],
                "Events": sorted(each["MatchingEventTypes"]),
                "TopicArn": each.get("SnsDestination", {}).get("TopicArn"),
            }
            for each in (self.described() or {}).get("EventDestinations", ())
            if each["EventDestinationName"] == self.name
        }

    def create(self, name, attributes):
        self.client.create_event_destination(**self._named(name), **self._settings())

    def change(self, name, attributes):
        # What is made is on; only a change can say so.
        self.client.update_event_destination(**self._named(name), **self._settings(), Enabled=True)

    def delete(self, name):
        unless(MISSING, self.client.delete_event_destination, **self._named(name))

    def _named(self, name):
        return {"ConfigurationSetName": self.stack.name, "EventDestinationName": name}

    def _settings(self):
        wanted = self.wanted()[self.name]
        return {
            "MatchingEventTypes": wanted["Events"],
            "SnsDestination": {"TopicArn": wanted["TopicArn"]},
        }
