"""Members, their cards, and letters to them."""

import uuid

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class Member(AbstractBaseUser):
    number = models.UUIDField(primary_key=True, default=uuid.uuid4)
    given_name = models.CharField(max_length=50)
    mailbox = models.CharField(max_length=200, blank=True)
    login = models.CharField(max_length=50, unique=True)

    objects = BaseUserManager()
    USERNAME_FIELD = "login"

    def __str__(self):
        return self.given_name


class Card(models.Model):
    """The profile, which holds the phone."""

    member = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    mobile = models.CharField(max_length=30)


class Letter(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=50)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="letters")
    readers = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")

    def __str__(self):
        return self.title
