"""The least that the product's work can cost. Frozen: a change here would move every ratio that was ever published.

Pages: behind the product's middleware, with its session and user (urls.py). Everything else: the driver, the standard
library, and no framework.
"""
