"""Plaid, as the companion of Heron's integrations: its hosted page repairs their links."""
