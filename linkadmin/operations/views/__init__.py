"""Pages that change something at a provider, and the link's page, whose state decides what it shows."""
