"""The least a page of the product can cost: behind its middleware, with its session and user, in its processes."""
