"""The page of a trigger with its subscriptions."""
