"""The mutation check: takes each defence out of a copy of the sources, and sees a test fail."""
