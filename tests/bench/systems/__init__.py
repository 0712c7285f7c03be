"""The systems that are priced, each started from its public package."""
