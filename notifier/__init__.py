"""Notifier: Django signals become notifications, by rules that people keep in the admin."""
