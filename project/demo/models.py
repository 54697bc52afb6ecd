"""Things that the demo shop sells and says. Nothing here knows of notifications."""

from django.conf import settings
from django.db import models


class Profile(models.Model):
    """The part of a user that Django's does not hold. ``NOTIFIER["ADDRESSES"]`` names ``profile.phone``."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    phone = models.CharField(max_length=30, blank=True)

    def __str__(self):
        return f"Profile of {self.user}"


class FlashSale(models.Model):
    title = models.CharField(max_length=100)
    discount_percent = models.PositiveSmallIntegerField()
    description = models.TextField(blank=True)
    ends_at = models.DateTimeField()
    url = models.URLField()

    def __str__(self):
        return self.title


class Post(models.Model):
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)

    def __str__(self):
        return self.title


class Movie(models.Model):
    title = models.CharField(max_length=100)
    audiences = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True)

    def __str__(self):
        return self.title
