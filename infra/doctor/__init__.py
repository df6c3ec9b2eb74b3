"""python -m infra.doctor STACK | --outputs FILE: what ails a stack, and the command that helps.

A room for each complaint. It takes a stack's outputs and the ambient credentials, tries things as the user that nobody
else is, and changes nothing that lasts: a stopped machine may be woken, one short export is made and removed.
"""
