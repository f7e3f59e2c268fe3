"""Pages for a browser: the Simulator guide, recent requests, recent webhooks. Start at `site`."""
