"""What is told of people and not kept: who types, and who is here."""
