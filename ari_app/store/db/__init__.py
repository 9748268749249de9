"""The database itself: the way to it, its tables, what its refusals mean; and files that are whole or not there."""
