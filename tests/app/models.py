"""Models that the demo has no use for: other keys, relations of every kind."""

import uuid

from django.conf import settings
from django.db import models


class Customer(models.Model):
    first_name = models.CharField(max_length=50)
    password_hint = models.CharField(max_length=50, blank=True)


class Order(models.Model):
    class Status(models.TextChoices):
        NEW = "new", "New order"
        PAID = "paid", "Paid"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    number = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=Status, default=Status.NEW)
    total = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    placed_at = models.DateTimeField(null=True)
    contact_email = models.CharField(max_length=200, blank=True)
    customer = models.ForeignKey(Customer, models.CASCADE, null=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    watchers = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")

    def __str__(self):
        return f"Order {self.number}"

    def get_absolute_url(self):
        return f"/orders/{self.pk}/"


class Line(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    name = models.CharField(max_length=50)


class Note(models.Model):
    """A model that no trigger of any test names, with something that its deletion takes along."""

    text = models.CharField(max_length=50)


class NotePage(models.Model):
    note = models.ForeignKey(Note, models.CASCADE)
