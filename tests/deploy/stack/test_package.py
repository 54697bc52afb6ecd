"""What goes to Lambda and what stays: Zappa's own packaging, shown our environment."""

import compileall
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from notifier.deploy.stack import package, slimming
from notifier.deploy.stack.packing import build_finished
from notifier.exceptions import ConfigurationError
from tests.support.pins import HOUSE, pinned

# Zappa imports pip, which minds who imported distutils first.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:_distutils_hack")

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
BOTOCORE = ("botocore", "jmespath", "python-dateutil", "six", "urllib3")


def pins_of(path):
    """Name → version."""
    return dict(line.split()[0].split("==") for line in path.read_text().splitlines() if "==" in line)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small project in the current folder, with what lies about in a developer's."""
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "shop/__init__.py": "",
        "shop/models.py": "TABLE = 1",
        "shop/rules.yaml": "version: 1",  # for `rules import` over there
        "rules.yaml": "version: 1",
        "shop/docs/__init__.py": "",  # a package of that name goes, if it is inside one
        "functions/email.py": "",  # what the stages' handlers name is a package without more
        "scripts/load.py": "",
        "manage.py": "",
        "templates/base.html": "<html>",
        "tests/__init__.py": "",
        "tests/test_shop.py": "",
        "test_smoke.py": "",
        "docs/index.md": "",
        "db.sqlite3": "",
        "README.md": "",
        ".env": "SECRET_KEY=1",
        ".git/config": "",
        "env/pyvenv.cfg": "",
        "env/lib/big.py": "",
        "requirements.txt": pinned("six"),
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    compileall.compile_dir(tmp_path / "shop", quiet=2)
    return tmp_path


def packed(environment, monkeypatch):
    """The names in the zip that Zappa makes of the current folder, and the deploy finishes; each file's
    content.
    """
    from zappa.core import Zappa

    monkeypatch.setenv("VIRTUAL_ENV", str(environment))
    names, globs = package.left_out(frozenset({"functions"}))
    zappa = Zappa(load_credentials=False, runtime=RUNTIME)
    archive = build_finished(
        zappa.create_lambda_zip,
        environment=environment,
        python=sys.executable,
        exclude=names,
        exclude_glob=globs,
        use_precompiled_packages=False,
    )
    with ZipFile(archive) as opened:
        assert len(opened.namelist()) == len(set(opened.namelist()))
        return {name: opened.read(name) for name in opened.namelist()}


def test_packages_modules_and_templates_go_and_everything_else_stays(project, monkeypatch):
    names = packed(package.build_environment(runtime=RUNTIME), monkeypatch).keys()
    assert {"shop/models.py", "shop/docs/__init__.py", "manage.py", "templates/base.html", "six.py"} <= names
    ours = {name for name in names if not name.startswith("six") and not name.endswith(".pyc")}
    assert ours == {
        "shop/__init__.py",
        "shop/models.py",
        "shop/rules.yaml",
        "shop/docs/__init__.py",
        "functions/email.py",
        "functions/__init__.py",  # Zappa writes it: over there it is an ordinary package
        "manage.py",
        "templates/base.html",
        "sbom.cdx.json",
        "package_info.json",  # Zappa adds this and the next
        "__init__.py",
    }


def test_each_source_has_its_bytecode_which_is_not_the_working_trees(project, monkeypatch):
    """That one is by files' times, which a zip does not keep; ours is by the source, and not checked."""
    Path("requirements.txt").write_text(pinned("iniconfig"))
    (project / "shop" / "migrations").mkdir()
    (project / "shop" / "migrations" / "0001.py").write_text("TABLES = 1")
    files = packed(package.build_environment(runtime=RUNTIME), monkeypatch)
    tag = sys.implementation.cache_tag
    bytecode = {name for name in files if name.endswith(".pyc")}
    assert {f"shop/__pycache__/models.{tag}.pyc", f"shop/migrations/__pycache__/0001.{tag}.pyc"} <= bytecode
    assert any(name.startswith("iniconfig/__pycache__/") for name in bytecode)
    assert len(bytecode) == len([name for name in files if name.endswith(".py") and files[name]])
    # https://peps.python.org/pep-0552/#specification
    assert {files[name][4:8] for name in bytecode} == {b"\x01\x00\x00\x00"}


def test_of_botocore_only_the_services_that_are_named(project):
    Path("requirements.txt").write_text(pinned(*BOTOCORE))
    (data,) = package.build_environment(runtime=RUNTIME).rglob("botocore/data")
    assert {path.name for path in data.iterdir() if path.is_dir()} == slimming.AWS_SERVICES


def test_the_environment_is_built_once_for_the_same_requirements(project):
    first = package.build_environment(runtime=RUNTIME)
    assert package.build_environment(runtime=RUNTIME) == first

    Path("requirements.txt").write_text(pinned("toml"))
    second = package.build_environment(runtime=RUNTIME)
    assert second != first
    assert not first.exists()


def test_what_only_one_function_needs_is_in_its_package_and_in_no_other(project, monkeypatch):
    Path("requirements.txt").write_text(pinned("six"))
    Path("requirements-chat.txt").write_text(pinned("iniconfig"))

    chat, email, web = (
        package.build_environment(runtime=RUNTIME, module=module) for module in ("chat", "email", "")
    )

    assert email == web != chat
    assert {"iniconfig/__init__.py", "six.py"} <= packed(chat, monkeypatch).keys()
    assert "iniconfig/__init__.py" not in packed(email, monkeypatch)
    assert chat.exists()
    assert package.build_environment(runtime=RUNTIME, module="chat") == chat

    Path("requirements-chat.txt").write_text("# nothing any more\n")
    assert package.build_environment(runtime=RUNTIME, module="chat") != chat
    assert not chat.exists()
    assert email.exists()


def test_what_a_function_adds_is_a_functions_and_pinned_as_for_the_others():
    """Two versions of one package could not be installed together."""
    pins = pins_of(HOUSE / "requirements.txt")
    for path in HOUSE.glob("requirements-*.txt"):
        if path.stem != "requirements-dev":
            assert (HOUSE / "lambdas" / f"{path.stem.removeprefix('requirements-')}.py").exists()
            added = pins_of(path)
            assert {name: pins[name] for name in added if name in pins}.items() <= added.items()


def test_apprise_is_the_chat_functions_alone():
    assert package.requirements_of("chat") != package.requirements_of("email")
    assert "apprise" not in (HOUSE / "requirements.txt").read_text()
    assert "apprise==" in (HOUSE / "requirements-chat.txt").read_text()


def test_requirements_that_cannot_be_had_are_said_with_the_installers_words(project):
    Path("requirements.txt").write_text("six==0.0.0 --hash=sha256:" + "0" * 64)
    with pytest.raises(ConfigurationError, match="six==0.0.0"):
        package.build_environment(runtime=RUNTIME)
    Path("requirements.txt").write_text(pinned("six", "toml"))
    assert package.build_environment(runtime=RUNTIME).exists()  # what was half built is no harm


def test_the_tools_of_tests_are_not_what_runs_on_lambda():
    assert (
        pins_of(HOUSE / "requirements.txt")
        .keys()
        .isdisjoint({"pytest", "moto", "ruff", "awslambdaric", "hypothesis", "uv"})
    )
