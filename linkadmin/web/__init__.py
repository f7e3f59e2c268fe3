"""What every request passes and every page is drawn with. Start with `pages` for a view, `middleware` for a request."""
