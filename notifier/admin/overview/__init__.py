"""The overview, and the pages of pauses and budgets."""
