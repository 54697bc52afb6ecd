"""What keeps the system running and tells its size: counts, gauges, backlog, retention, privacy, template
files. Calls ``deliveries``.
"""
