"""The object store: port, R2 behind it, presigned URLs, multipart uploads and the only place where keys are made."""
