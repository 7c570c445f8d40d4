"""What a message may speak of beyond the basics: a file a fact."""
