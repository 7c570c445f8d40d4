"""What every app stands upon: time, identity, kinds, rules, tokens. Knows no models, imports none of them."""
