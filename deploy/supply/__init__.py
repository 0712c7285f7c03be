"""The supply chain: what is inside the wheels that are pinned, and what is known against it."""
