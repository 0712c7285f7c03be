"""What each action does: a function for each, which is called once it is judged.

Imports the rest of `gateway.api` but the table itself, and what is below; judges nothing.
See docs/topics/message-path.md, and decision 060.
"""
