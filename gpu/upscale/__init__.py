"""Makes pictures larger: with a trained network where a GPU and its weights are, with Lanczos elsewhere.

Whatever is used says its name, and why it is used here: a result never passes as what it is not.
"""
