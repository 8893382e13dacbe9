"""Tables, the one transaction, and read-only views of what is kept."""
