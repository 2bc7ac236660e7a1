"""What a service keeps beside its home: keys, nonces, operations, webhooks, leases."""
