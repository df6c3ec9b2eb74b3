"""What every request passes: CORS, log and error boundary, body limit, user and library context; problem documents."""
