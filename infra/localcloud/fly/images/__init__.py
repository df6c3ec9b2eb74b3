"""Images: a build context, filtered by its ignore file, arranged as the Dockerfile says, stored under its digest."""
