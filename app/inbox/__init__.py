"""GitHub's door: the signature, the keeping of deliveries, and the only place that knows the shapes of payloads."""
