"""What rules can say of our messages and flows."""
