"""The use cases: what people and programs may do. Each module is one noun.

A use case is one function, called by every face (commands, later REST and web pages). It takes the actor and plain
values, is one transaction and returns records. It raises `Refused`, or the errors of the store and of the document's
reader. Nothing here prints, parses command-line words, or names a command. `checked` checks the values from every face.
Adding, removing and listing are the same for all nouns of the marketplace's document: see `documents`. Work that
Callrace also does by itself (count calls again, save the spool, make tables) takes no actor.
"""
