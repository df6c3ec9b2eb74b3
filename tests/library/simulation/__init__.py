"""Many machines, one store, one user, in virtual time: production `app.library` under a seeded schedule of faults."""
