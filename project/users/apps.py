"""Comes after ``django.contrib.auth``, whose pages it replaces."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "project.users"
    label = "users"
