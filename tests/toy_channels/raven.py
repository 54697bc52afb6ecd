"""Needs a library that only its own function has, and declares nothing."""

import a_library_of_ravens


def send(message, session):
    return a_library_of_ravens.send(message)
