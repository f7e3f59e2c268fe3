"""What the customer sees: repair requests, their page, and the provider's page behind it. Start with `requests`."""
