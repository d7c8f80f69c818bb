"""HTTP servers: limits on connections and bodies, errors, request metrics, traffic routes."""
