"""docs/own-project.md, followed word by word on a fresh ``django-admin startproject``: its blocks are what is
run here.
"""

import json
import re

import boto3
import pytest

from .deployer import HOUSE, Deployer, new_database
from .runtimes import suit_this_machine
from .service import SLOWNESS, LambdaService

PAGE = (HOUSE / "docs" / "own-project.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


@pytest.fixture
def service():
    with LambdaService(enforce_roles=True, slowness=SLOWNESS) as service:
        for name, value in {"SECRET_KEY": "of-the-shop-" * 5, "DATABASE_URL": new_database("shop")}.items():
            boto3.client("ssm").put_parameter(
                Name=f"/shop-production/{name}", Value=value, Type="SecureString"
            )
        service.start()
        yield service


@pytest.fixture
def shop(tmp_path, service):
    """The project as it is before the first step."""
    deployer = Deployer(tmp_path, service.url, copy=False)
    deployer.run("django-admin", "startproject", "shop", ".")
    # The machine that runs this has them; the page's reader need not.
    (tmp_path / "pip").write_text("#!/bin/sh\n")
    (tmp_path / "pip").chmod(0o755)
    return deployer


def follow(shop):
    """Steps 1 to 6, except the last block's plan and the deploy."""
    copying, requirements, stages, trying = blocks("sh")
    settings, wsgi = blocks("python")
    for script in (copying, requirements, stages):
        shop.shell(f"set -e; NOTIFIER={HOUSE}; PATH={shop.folder}:$PATH; {script}")
    with open(shop.folder / "shop" / "settings.py", "a") as file:
        file.write(settings)
    (shop.folder / "shop" / "wsgi.py").write_text(wsgi)
    suit_this_machine(shop.folder)
    return trying


def keep_stages(shop, *names):
    path = shop.folder / "zappa_settings.json"
    stages = json.loads(path.read_text())
    path.write_text(json.dumps({name: stages[name] for name in names}))


def test_a_fresh_project_takes_it_over_by_the_page(shop, service):
    printed = shop.shell(f"set -e; {follow(shop)}")
    assert "System check identified no issues" in printed
    assert "create topic shop-production" in printed

    keep_stages(shop, "production", "production_fanout", "production_email")
    shop.zappa("deploy", "production")
    # What is not there yet comes along.
    printed = shop.zappa("update", "--all")
    assert re.search(r"canary: email after [\d.]+ s", printed), printed
    page = service.request("shop-production", "GET", "/admin/login/")
    assert page.status == 200
    assert 'id="login-form"' in page.text
    assert (
        service.request(
            "shop-production", "GET", re.search(r'href="(/static/[^"]+\.css)"', page.text)[1]
        ).status
        == 200
    )
