"""One module a Lambda function. Channels are the modules that ``notifier.channels.registry`` finds here."""
