"""Offers: the guard that decides who may get one, codes and who holds them, and what messages say of them."""
