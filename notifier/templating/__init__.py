"""Django's template language over plain data: compile, specialise per event, render; and what of an object
becomes plain data.

Calls no other package.
"""
