"""The cloud on one machine: moto, the pump, the stand-ins for providers and the outbox page.

Calls ``deploy``, whose stack it applies, and the functions in ``lambdas``.
"""
