"""What others would build on the same tables: the stock Django admin."""
