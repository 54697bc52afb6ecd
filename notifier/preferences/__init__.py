"""What people want, and where they say so: opt-outs, quiet hours, the pages and links.

Next hop: ``gates.table`` asks before a send.
"""
