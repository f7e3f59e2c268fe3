"""Lists of links: what they can be filtered and sorted by, and how their rows are drawn. Start with `filters`."""
