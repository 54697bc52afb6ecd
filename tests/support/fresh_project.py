"""A project that has nothing of this repository but what a page says to copy, in a folder of its own, with
processes, an admin and a browser.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

from tests.admin.browser import filled_in, form_values
from tests.support.patience import wait_until

HOUSE = Path(__file__).parents[2]
PASSWORD = "linen-and-wool"
# What of this machine's packages the page has not had installed.
ABSENT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""
# The packages behind requirements.in, by the names that are imported.
PACKAGES = {
    "anymail", "aws_lambda_powertools", "axes", "boto3", "botocore", "css_inline", "dj_database_url",
    "django", "environs", "inscriptis", "phonenumbers", "psycopg", "requests_hardened", "standardwebhooks",
    "tweepy", "unfold", "whitenoise", "yaml", "zappa",
}  # fmt: skip


class FreshProject:
    """``django-admin startproject shop .`` in ``folder``.

    ``installed``: the ones of PACKAGES that there are; None is all.
    """

    def __init__(self, folder, installed=None):
        self.folder, self._site = folder / "project", folder / "site"
        self.folder.mkdir()
        self._site.mkdir()
        absent = PACKAGES - set(PACKAGES if installed is None else installed)
        (self._site / "sitecustomize.py").write_text(ABSENT.format(names=absent))

    @property
    def environment(self):
        mine = ("DJANGO", "NOTIFIER", "DATABASE", "AWS", "PYTHON")
        found = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
        return found | {"PYTHONPATH": str(self._site), "PYTHONWARNINGS": "ignore", "TERM": "dumb"}

    def copy(self, *names):
        for name in names:
            shutil.copytree(HOUSE / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__"))

    def write(self, path, text):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def add(self, path, text):
        with open(self.folder / path, "a") as file:
            file.write(text)

    def run(self, *command, **environment):
        """A new process, which must end well; returns what it has written, to both."""
        done = subprocess.run(
            [sys.executable, *command], cwd=self.folder, env=self.environment | environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    def manage(self, *command, **environment):
        return self.run("manage.py", *command, **environment)

    def shell(self, code):
        """A shell of its own for these lines."""
        return self.manage("shell", "-v", "0", "-c", code)

    @contextmanager
    def admin(self):
        """The site served, and somebody who is signed in to its admin, as a Browser."""
        self.manage(
            "createsuperuser", "--noinput", "--username", "admin", "--email", "",
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )  # fmt: skip
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with open(self._site / "served.log", "w") as log:
            command = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
            server = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
            try:
                browser = Browser(f"http://127.0.0.1:{port}")
                wait_until(lambda: server.poll() is not None or browser.is_answered(), "the site is served")
                browser.sign_in()
                yield browser
            finally:
                server.terminate()
                server.wait()


class Browser:
    """Keeps cookies and fills in forms; follows no redirect."""

    def __init__(self, origin):
        self.origin = origin
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()), _NoRedirect()
        )

    def is_answered(self):
        try:
            return self.get("/admin/login/")
        except urllib.error.URLError:
            return False

    def get(self, path):
        """The page at ``path``."""
        status, page = self._open(path)
        assert status == 200, (path, status, page[:500])
        return page

    def sign_in(self):
        fields = {"username": "admin", "password": PASSWORD}
        self.submit("/admin/login/?next=/admin/", fields, form="login-form")

    def submit(self, path, changes, *, form=None):
        """Fill in the form of a page, save it, and fail with what the page says is wrong."""
        if problems := self.problems(path, changes, form=form):
            raise AssertionError((path, problems))

    def problems(self, path, changes, *, form=None):
        """Fill in the form of a page and save it; what the page says is wrong, or nothing."""
        form = form or f"{path.split('/')[3]}_form"
        fields = filled_in(form_values(self.get(path), form), changes)
        status, page = self._open(path, urlencode(fields, doseq=True).encode())
        if status == 302:
            return ""
        return " ".join(re.findall(r'class="[^"]*errorlist[^"]*".*?</ul>|errornote.*?</', page, re.S)) or page

    def _open(self, path, body=None):
        request = urllib.request.Request(f"{self.origin}{path}", body)
        try:
            with self._opener.open(request) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
