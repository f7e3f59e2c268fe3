"""What every request passes through and every page is drawn with. Start with `pages` or `middleware`."""
