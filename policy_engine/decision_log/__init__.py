"""The decision log: what was answered, to whom and by which text, kept so that nobody can change it unseen.

A record is an entry without personal data and a payload with it (`records.py`). Entries are the leaves of a tree of hashes
(`tree.py`), whose root is signed at each commit (`notes.py`). Payloads are sealed with the key of the account that they are
about (`sealing.py`), so that they can be erased and no hash changes. `writing.py` puts this together over a store of rows.
"""
