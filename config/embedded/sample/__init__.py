"""The sample shop: a storefront that uses the product like any other shop, and the mailbox its people read.

Nothing here is imported by the product's apps, and nothing here imports them.
"""
