"""What the schemas say of themselves: JSON Schemas, the AsyncAPI document, the event table."""
