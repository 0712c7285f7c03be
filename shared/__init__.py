"""What gateways and persisters have in common: settings, the model, the broker and storage."""
