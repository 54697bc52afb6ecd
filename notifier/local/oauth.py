"""The server's side of OAuth 1.0a, for the stand-in for X: is this request signed by the one app and user it
knows?
"""

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, RequestValidator, ResourceEndpoint


class SignatureCheck(RequestValidator):
    """One app and one user, as oauthlib's server side asks about them.

    A signature is good for one request only.
    """

    allowed_signature_methods = (SIGNATURE_HMAC_SHA1,)
    # Whose keys oauthlib checks with when the caller is unknown, so that the answer takes as long.
    dummy_client = dummy_access_token = "nobody"  # noqa: S105 - a name

    def __init__(self, consumer_key, consumer_secret, access_token, access_token_secret):
        super().__init__()
        self._consumer, self._token = (consumer_key, consumer_secret), (access_token, access_token_secret)
        self._seen = set()
        self._endpoint = ResourceEndpoint(self)

    def is_good(self, request, public_url):
        """Whether ``request`` (werkzeug's) is signed by the known app and user, for ``public_url`` and just
        now.
        """
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        good, _ = self._endpoint.validate_protected_resource_request(
            public_url + query, request.method, request.get_data(as_text=True), dict(request.headers)
        )
        return good

    # oauthlib's defaults want keys of 20 to 30 letters and digits; X's tokens are longer and hold a hyphen.
    def check_client_key(self, client_key):
        return bool(client_key)

    check_access_token = check_nonce = check_client_key

    def validate_timestamp_and_nonce(
        self, client_key, timestamp, nonce, request, request_token=None, access_token=None
    ):
        fresh = (timestamp, nonce) not in self._seen
        self._seen.add((timestamp, nonce))
        return fresh

    def validate_client_key(self, client_key, request):
        return client_key == self._consumer[0]

    def validate_access_token(self, client_key, token, request):
        return token == self._token[0]

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return True

    def get_client_secret(self, client_key, request):
        return self._consumer[1]

    def get_access_token_secret(self, client_key, token, request):
        return self._token[1]
