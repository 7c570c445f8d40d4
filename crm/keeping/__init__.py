"""What the core keeps of a person."""
