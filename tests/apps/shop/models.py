"""A model for each app that brings none of its own."""

from django.db import models
from django_fsm import FSMField, transition
from polymorphic.models import PolymorphicModel
from simple_history.models import HistoricalRecords
from wagtail.models import Page


class Article(Page):
    """A page of Wagtail."""

    intro = models.CharField(max_length=200, blank=True)


class Ticket(models.Model):
    """A state machine of django-fsm-2."""

    title = models.CharField(max_length=100)
    state = FSMField(default="new", protected=True)

    @transition(field=state, source="new", target="assigned")
    def assign(self):
        """Give it to somebody."""

    @transition(field=state, source="assigned", target="closed")
    def close(self):
        """Say that it is done."""


class Contract(models.Model):
    """A model with the history of django-simple-history."""

    title = models.CharField(max_length=100)
    amount = models.DecimalField(max_digits=8, decimal_places=2)
    history = HistoricalRecords()


class Project(PolymorphicModel):
    """The base of a family of django-polymorphic."""

    topic = models.CharField(max_length=100)


class ArtProject(Project):
    """One that a trigger on Project hears of too."""

    artist = models.CharField(max_length=100)
