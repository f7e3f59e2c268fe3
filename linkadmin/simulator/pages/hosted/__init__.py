"""Pages that providers host for customers: Belvo's widget and consent portal, Plaid's Link. Start at `site`."""
