"""Pages of the inbox, and the address that no person opens."""
