"""Pages of endpoints and deliveries, and the URL that providers post to."""
