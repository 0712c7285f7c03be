"""The persister: consumes partition streams and writes them to SQL, each exactly once."""
