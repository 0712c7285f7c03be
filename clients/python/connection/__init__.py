"""One connection after the other: opening it, frames on it, requests that outlive it."""
