"""The pieces a marketer puts a message together from: a file a block."""
