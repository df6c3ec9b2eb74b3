"""Games: who, when, where, and the ordered recordings of it."""
