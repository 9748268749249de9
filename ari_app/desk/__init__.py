"""The use cases: what people and programs may do, a module a noun.

Each is one function that every face (commands, later REST and web pages) calls. It takes the actor and plain values, is
one transaction, returns records, and raises `Refused`, or what the store and a document's reader raise. Nothing here
prints, parses words, or names a command. Values are checked by `checked`, whatever face they come from. To add, remove
and list what the marketplace's document declares is the same for all its nouns: `documents`. Who has done again what
Callrace does by itself (calls counted anew, a spool saved, tables made) is asked for no name.
"""
