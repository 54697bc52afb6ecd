"""A person's browser at the function URL: keeps cookies, fills in forms, and looks at what comes back."""

import re
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import boto3

from tests.admin.browser import filled_in, form_values


class Visitor:
    """``service`` is the LambdaService, ``function`` the name of the one whose URL is visited; redirects are
    not followed.
    """

    def __init__(self, service, function):
        self._service, self._function = service, function
        self.cookies = {}

    def get(self, path, **headers):
        """``headers``: ``accept_encoding="gzip"``."""
        return self._send(
            "GET", path, {name.replace("_", "-"): value for name, value in headers.items()}, b""
        )

    def post(self, path, fields):
        """``fields`` are name → list of values; the page's own token is among them."""
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "origin": self.origin,
            "referer": f"{self.origin}{path}",
        }
        return self._send("POST", path, headers, urlencode(fields, doseq=True).encode())

    def sign_in(self, username, password):
        """The admin's login page, filled in and sent."""
        page = self.get("/admin/login/")
        fields = form_values(page.text, "login-form") | {"username": [username], "password": [password]}
        return self.post("/admin/login/?next=/admin/", fields)

    def submit(self, path, form_id, changes):
        """Fill the form of a page in and save it; fails with what the page says is wrong."""
        page = self.get(path)
        assert page.status == 200, (path, page.status, page.text[:500])
        saved = self.post(path, filled_in(form_values(page.text, form_id), changes))
        assert saved.status == 302, (
            path,
            saved.status,
            re.findall(r'class="errorlist.*?</ul>', saved.text, re.S),
            saved.text[:300],
        )
        return saved

    def token(self):
        """What a script of the page sends along with a form of its own."""
        return {"csrfmiddlewaretoken": [self.cookies["csrftoken"]]}

    @property
    def origin(self):
        """Where the function answers, as a browser names it."""
        return (
            boto3.client("lambda")
            .get_function_url_config(FunctionName=self._function)["FunctionUrl"]
            .rstrip("/")
        )

    def _send(self, method, path, headers, body):
        answer = self._service.request(
            self._function, method, path, headers=headers, body=body, cookies=self.cookies
        )
        for line in answer.cookies:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return answer
