"""Channels: which exist, what each declares about itself, and the message that crosses to one.

Calls no other package.
"""
