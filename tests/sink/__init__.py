"""Foreign servers of our own making: they accept mail, misbehave on demand and remember all they took."""
