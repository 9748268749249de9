"""Invoices and statements: their rows, and how they are told as JSON and PDF."""
