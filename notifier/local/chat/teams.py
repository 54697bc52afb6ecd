"""https://learn.microsoft.com/en-us/connectors/teams/#when-a-teams-webhook-request-is-received"""

from werkzeug.wrappers import Response

from .marks import BULLET, MASKED, NUMBERED, Markup, show
from .taken import Taken, document_of, said, words

HOSTS = ("prod-1.westeurope.logic.azure.com",)
WORKFLOW, SIGNATURE = "643e69f83c8944", "local-workflow-signature"
ROOM = f"workflows://{HOSTS[0]}:443/{WORKFLOW}/{SIGNATURE}"
# https://learn.microsoft.com/en-us/connectors/teams/#known-issues-and-limitations-with-actions
MAX_BYTES = 28 * 1024
# https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features
MARKUP = Markup(
    formats=(r"\*\*(?P<words>[^*\n]+)\*\*", r"(?<!\w)_(?P<words>[^_\n]+)_(?!\w)", BULLET, NUMBERED),
    links=(MASKED, r"(?P<url>)(?P<words>\{\{(?:DATE|TIME)\([^()\n]*\)\}\})"), escapes=True,
)  # fmt: skip
# https://learn.microsoft.com/en-us/azure/logic-apps/handle-throttling-problems-429-errors
LIMITED = (429, {"error": {"code": "WorkflowTriggerIsThrottled"}}, {"retry-after": "20"})
# The connector's own, of old: a 200 all the same.
LIMITED_OF_OLD = (
    "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with "
    "ContextId tcid=0,server=LOCAL."
)


def take(request, path):
    if f"workflows/{WORKFLOW}/triggers/" not in path or request.args.get("sig") != SIGNATURE:
        return said(401, {"error": {"code": "DirectApiAuthorizationRequired"}})
    if len(request.get_data()) > MAX_BYTES:
        return words(413, "Request Entity too large")
    card = (document_of(request).get("attachments") or [{}])[0].get("content") or {}
    blocks = [block.get("text") or "" for block in card.get("body", ()) if block.get("type") == "TextBlock"]
    if card.get("type") != "AdaptiveCard" or not "".join(blocks).strip():
        return said(400, {"error": {"code": "InvalidRequestContent"}})
    named = [entity["text"] for entity in card.get("msteams", {}).get("entities", ())]
    return Taken(
        room="teams", shown=show("\n".join(blocks), MARKUP), more_calls=tuple(named),
        answer=lambda id: Response(status=202),
    )  # fmt: skip
