"""People's choices, and the pages and links by which they make them: opt-outs, quiet hours.

Calls ``people``.
"""
