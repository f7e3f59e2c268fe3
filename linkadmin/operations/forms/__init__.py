"""Forms for staff, built from the fields a provider declares, and cleaning of each value."""
