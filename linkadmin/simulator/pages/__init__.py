"""What a browser gets: the guide to the simulator, the calls that arrived, the webhooks that left. Start at `site`."""
