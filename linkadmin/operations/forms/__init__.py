"""What staff type: forms drawn from the fields that a provider declares, and what is taken out of each value."""
