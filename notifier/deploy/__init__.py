"""The way to AWS: settings from the environment, the package, the stack of resources, and the doctor.

An app of its own, for its commands. Of ``notifier`` only ``local`` needs it, and it needs nothing of a
project.
"""
