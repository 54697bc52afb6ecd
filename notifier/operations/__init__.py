"""Operations that keep the system running and tell its size: counts, gauges, backlog, retention, privacy,
template files. Calls ``deliveries``.
"""
