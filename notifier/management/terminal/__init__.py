"""Subcommands of ``manage.py notify``, one module each: ``add_arguments(parser)`` and ``run(command,
**options)``.
"""
