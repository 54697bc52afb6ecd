"""A project whose user is not Django's: another key, other names, no groups, nobody inactive."""
