"""Channels for tests of what any channel may be."""
