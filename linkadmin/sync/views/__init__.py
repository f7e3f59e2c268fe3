"""Pages of provider records, institutions, full checks, and unrecognized values."""
