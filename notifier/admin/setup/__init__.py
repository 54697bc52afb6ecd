"""“Set up a notification”: trigger, template, audience and subscription on one page."""
