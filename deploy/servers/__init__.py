"""The servers beside ours: which Redis and which load balancer run, and how they are configured."""
