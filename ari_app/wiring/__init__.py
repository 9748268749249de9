"""Builds each program that serves calls from its parts, a module a program: the one room that knows them all."""
