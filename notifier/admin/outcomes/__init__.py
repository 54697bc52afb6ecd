"""The pages of events, deliveries and inboxes, and what can be done there."""
