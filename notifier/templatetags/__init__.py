"""Template tags: the bell of unread notifications, and the line on pauses. Calls ``inbox`` and ``admin``."""
