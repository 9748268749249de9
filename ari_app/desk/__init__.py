"""The use cases: what people and programs may do, a module a noun.

Each is one function that every face (commands, later REST and web pages) calls. It takes the actor and plain values, is
one transaction, returns records, and raises `Refused`, or what the store and a document's reader raise. Nothing here
prints, parses words, or names a command. To add, remove and list what the marketplace's document declares is the same
for all its nouns: `documents`.
"""
