"""Pages that Belvo hosts for customers: its widget and its consent portal. Start at `site`."""
