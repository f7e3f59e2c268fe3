"""The simulated Plaid: hosted pages in update mode, and webhooks about Heron's items."""
