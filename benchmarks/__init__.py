"""How fast the product is, as ratios to floors and peers measured in the same run.

Start with __main__.py: `make bench` runs it. docs/performance.md explains the method and shows results.
"""
