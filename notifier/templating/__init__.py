"""Django's template language over plain data: compile, specialise per event, render; and which of an object's
data become plain.

Calls no other package.
"""
