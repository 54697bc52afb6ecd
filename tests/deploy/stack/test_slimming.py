"""What of the libraries a function's package is without, and that the function imports nothing of it."""

from fnmatch import fnmatch

import grimp
import pytest

from notifier.deploy.stack.slimming import HTML, WEBSITE, unneeded_by
from notifier.deploy.stack.stages import read_deployment
from tests.support.pins import HOUSE

DEPLOYMENT = read_deployment("production", HOUSE / "zappa_settings.json")
FUNCTIONS = {function.module: function for function in DEPLOYMENT.functions}


@pytest.fixture(scope="module")
def graph():
    """Who imports whom in the functions' files, also inside of functions."""
    return grimp.build_graph("lambdas", "notifier", include_external_packages=True, cache_dir=None)


def libraries_of(graph, function):
    """The libraries that its file imports, or a file beside it that it imports."""
    seen, ahead = set(), {function.handler.rpartition(".")[0]}
    while ahead:
        seen |= ahead
        found = {each for module in ahead for each in graph.find_modules_directly_imported_by(module)}
        ahead = {each for each in found if each.startswith("lambdas.")} - seen
    found = {each for module in seen for each in graph.find_modules_directly_imported_by(module)}
    return {each for each in found if not each.startswith(("lambdas", "notifier", "project"))}


@pytest.mark.parametrize("module", FUNCTIONS.keys() - {"web"})
def test_no_function_imports_what_its_package_is_without(graph, module):
    function = FUNCTIONS[module]
    without = (*unneeded_by(function, DEPLOYMENT.functions), *function.config["exclude_glob"])
    for library in libraries_of(graph, function):
        assert not [pattern for pattern in without if fnmatch(library, pattern)], library


def test_only_channels_with_html_have_what_makes_it():
    assert not {*HTML} & {*unneeded_by(FUNCTIONS["email"], DEPLOYMENT.functions)}
    for module in ("fanout", "sweep", "sms", "push"):
        assert {*HTML} <= {*unneeded_by(FUNCTIONS[module], DEPLOYMENT.functions)}


def test_what_a_function_says_is_its_own_is_in_no_other_but_the_websites():
    assert "phonenumbers" not in unneeded_by(FUNCTIONS["sms"], DEPLOYMENT.functions)
    assert "phonenumbers" in unneeded_by(FUNCTIONS["email"], DEPLOYMENT.functions)


def test_the_website_has_all_and_nobody_else_what_requests_alone_need():
    assert not {*WEBSITE, *HTML, "phonenumbers"} & {*unneeded_by(FUNCTIONS["web"], DEPLOYMENT.functions)}
    assert {*WEBSITE} <= {*unneeded_by(FUNCTIONS["fanout"], DEPLOYMENT.functions)}
