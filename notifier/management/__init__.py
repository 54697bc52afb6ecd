"""The commands of ``manage.py``: ``notify`` and ``rules``. Calls the packages below."""
