"""The tables of mutations, by what the defences are about."""
