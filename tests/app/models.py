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


class Guest(Customer):
    class Meta:
        proxy = True


class Company(Customer):
    trade_name = models.CharField(max_length=50, blank=True)


class Parcel(models.Model):
    """A value of every type, and members of its own that events may or may not store."""

    class Size(models.IntegerChoices):
        SMALL = 1, "Small"
        LARGE = 2, "Large"

    notifier_fields = ["summary", "broken", "broken_query", "recipients", "api_token"]

    label = models.CharField(max_length=50, unique=True)
    size = models.IntegerField(choices=Size, default=Size.SMALL)
    weight = models.FloatField(default=0.5)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    sent_at = models.DateTimeField(null=True)
    due_on = models.DateField(null=True)
    due_time = models.TimeField(null=True)
    travel = models.DurationField(null=True)
    tracking = models.UUIDField(null=True)
    details = models.JSONField(default=dict)
    order = models.ForeignKey(Order, models.CASCADE, null=True)

    api_token = "t0ken"
    unlisted = "not listed"

    def __str__(self):
        return self.label

    @property
    def summary(self):
        return f"{self.label}, {self.get_size_display()}"

    @property
    def broken(self):
        raise ZeroDivisionError("parcels/0")

    @property
    def broken_query(self):
        return list(Parcel.objects.extra(where=["no_such_column = 1"]))

    @property
    def recipients(self):
        return self.order.watchers.filter(is_active=True)

    def destroy(self):
        raise AssertionError("A template must not call this.")


class Person(models.Model):
    """Relations to its own kind, both ways and one way."""

    name = models.CharField(max_length=50)
    friends = models.ManyToManyField("self")
    follows = models.ManyToManyField("self", symmetrical=False, related_name="followers")


class Club(models.Model):
    """A relation with rows of its own, which know it by another key."""

    code = models.CharField(max_length=10, unique=True)
    members = models.ManyToManyField(Person, through="Membership", related_name="clubs")


class Membership(models.Model):
    club = models.ForeignKey(Club, models.CASCADE, to_field="code")
    person = models.ForeignKey(Person, models.CASCADE)
    since = models.IntegerField(default=2026)


class Photo(models.Model):
    """A file, and values that hold others."""

    title = models.CharField(max_length=50)
    file = models.FileField(blank=True)
    parcel = models.ForeignKey(Parcel, models.CASCADE, null=True)
