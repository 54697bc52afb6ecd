"""Models whose rows hold something else than their objects in memory."""
