"""The account of a test: AWS without Docker, in which deployed packages really run."""

import pytest

from .runtimes import SAID
from .service import LambdaService


def pytest_terminal_summary(terminalreporter):
    """On a machine without the stages' Python something else was shown than what is deployed."""
    terminalreporter.write_line(SAID)


@pytest.fixture(scope="module")
def module_service():
    """One service for the tests of a file; each begins with an empty account."""
    with LambdaService() as service:
        yield service


@pytest.fixture
def service(module_service):
    """An empty account; every function may do everything."""
    return module_service.reset()


@pytest.fixture
def strict_service(module_service):
    """An empty account in which a function may do what its role allows."""
    return module_service.reset(enforce_roles=True)
