"""Says nothing of how a message looks."""
