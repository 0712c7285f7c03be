"""The allow-lists for requests of browsers: origins of pages, and hosts that are asked for."""
