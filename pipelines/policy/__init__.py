"""What every compiled pipeline must keep to before it may reach a cluster."""
