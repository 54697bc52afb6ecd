"""The AWS resources around the functions."""

from .resources import Applied, Queue, RouteSettings, Stack, apply, default_routes

__all__ = ["Applied", "Queue", "RouteSettings", "Stack", "apply", "default_routes"]
