"""The doctor: finds faults of a deployment, a line a finding, each with its remedy. Calls ``stack``."""
