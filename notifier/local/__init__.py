"""The cloud on one machine: moto, the pump, the stand-in for X and the outbox page."""
