"""Writes what people need who send events: AsyncAPI document, JSON Schemas, page and examples."""
