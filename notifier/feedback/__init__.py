"""Reports that providers send about a delivery after they took it. Calls ``deliveries`` and ``people``."""

from .reports import Report

__all__ = ["Report"]
