"""The account of a test: AWS without Docker, in which deployed packages really run."""

import pytest

from .service import LambdaService


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
