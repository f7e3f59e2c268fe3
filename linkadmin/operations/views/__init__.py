"""Pages that change something at a provider, and the page of a link."""
