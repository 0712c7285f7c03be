"""The pages and documents of `docs/reference` that are made from the code.

`openapi.py`, `asyncapi.py`, `protocol_page.py` and `settings_page.py` make one each. The other
modules read tables, types and docstrings for them.
"""
