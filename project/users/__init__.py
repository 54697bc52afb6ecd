"""Django's users and groups in the admin, in its look.

A project with a user model of its own leaves it out.
"""
