"""Tests against real servers: Redis, SQL, load balancers."""
