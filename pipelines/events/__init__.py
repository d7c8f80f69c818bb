"""Documentation of the events: AsyncAPI document, JSON Schemas, Markdown page and examples."""
