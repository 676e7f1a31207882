"""What is looked at before a session trades: pure checks, and one module that asks the venue for what they judge."""
