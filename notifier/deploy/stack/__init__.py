"""The AWS resources around the functions: declared in ``resources``, compared and applied by ``engine``.

Calls ``channels`` and ``queue``, for what a function declares and for the routes.
"""

from .changes import Change
from .declaration import RouteSettings, Stack, default_routes
from .engine import Applied, Queue, apply, destroy, plan

__all__ = [
    "Applied",
    "Change",
    "Queue",
    "RouteSettings",
    "Stack",
    "apply",
    "default_routes",
    "destroy",
    "plan",
]
