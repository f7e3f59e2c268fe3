"""Pages of one's own account, of colleagues, and for those who are invited."""
