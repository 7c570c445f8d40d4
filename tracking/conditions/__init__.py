"""What rules can say of what people do: their acts, their visits, the carts they have."""
