"""The app of the project: its signals are those of docs/recipes.md, registered by the test of each."""

from django.apps import AppConfig


class Shop(AppConfig):
    name = "tests.apps.shop"
    label = "shop"
