"""A signal of the project's own: somebody asks for a movie's audiences to be told."""

from django.dispatch import Signal

notify_audiences = Signal()
