"""Makes ``manage.py doctor`` known."""

from django.apps import AppConfig


class DoctorConfig(AppConfig):
    name = "project.doctor"
