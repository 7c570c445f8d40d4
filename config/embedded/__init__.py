"""What one machine needs to run the product by itself: local servers from wheels, keys, one supervisor."""
