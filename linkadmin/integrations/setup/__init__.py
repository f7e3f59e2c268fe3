"""Adding and editing an integration: base URL, options, keys. Start with `views`."""
