"""Columns that the database fills, keys of several columns, and rows of several tables."""

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.functions import Now, Upper


class MoneyField(models.DecimalField):
    """A project's own, which stores as Django's does."""

    def __init__(self, **options):
        super().__init__(**{"max_digits": 8, "decimal_places": 2, "default": 0} | options)


class Item(models.Model):
    class Kind(models.IntegerChoices):
        TOOL = 1, "Tool"
        TOY = 2, "Toy"

    name = models.CharField(max_length=50, default="Linen")
    amount = models.IntegerField(default=10)
    price = MoneyField()
    total = models.GeneratedField(
        expression=F("price") * F("amount"),
        output_field=models.DecimalField(max_digits=12, decimal_places=2),
        db_persist=True,
    )
    shout = models.GeneratedField(
        expression=Upper("name"), output_field=models.CharField(max_length=50), db_persist=True
    )
    kind = models.IntegerField(choices=Kind, default=Kind.TOOL)
    shelf = models.CharField(max_length=10, db_default="A1")
    made_at = models.DateTimeField(db_default=Now())
    day = models.DateField(null=True)
    moment = models.DateTimeField(null=True)
    hour = models.TimeField(null=True)
    span = models.DurationField(null=True)
    flag = models.BooleanField(default=False)
    tracking = models.UUIDField(null=True)
    weight = models.FloatField(default=0)
    details = models.JSONField(default=dict)
    photo = models.FileField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="parts")
    contact = models.CharField(max_length=100, blank=True)

    notifier_fields = ["line", "broken"]

    def __str__(self):
        return f"{self.shout}: {self.amount}"

    @property
    def line(self):
        return f"{self.amount} × {self.name}"

    @property
    def broken(self):
        raise ValueError(self.name)


class Bin(models.Model):
    """A key of two columns."""

    pk = models.CompositePrimaryKey("place", "number")
    place = models.CharField(max_length=10)
    number = models.IntegerField()
    amount = models.IntegerField(default=0)

    def __str__(self):
        return f"Bin {self.place}{self.number}"


class Author(models.Model):
    name = models.CharField(max_length=50)


class Page(models.Model):
    title = models.CharField(max_length=50)
    author = models.ForeignKey(Author, models.CASCADE, null=True)

    def __str__(self):
        return self.title


class PageProxy(Page):
    class Meta:
        proxy = True


class SubPage(Page):
    text = models.CharField(max_length=50, blank=True)


class SubSubPage(SubPage):
    more = models.CharField(max_length=50, blank=True)


class Sheet(models.Model):
    sheet_id = models.BigAutoField(primary_key=True)


class PageOnSheet(Page, Sheet):
    """A row of three tables, two of them side by side."""
