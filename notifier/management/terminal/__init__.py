"""What ``manage.py notify`` does, one module a subcommand: ``add_arguments(parser)`` and ``run(command,
**options)``.
"""
