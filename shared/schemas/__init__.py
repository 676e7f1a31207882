"""The language of the system: values, events, commands, subjects and their codec."""
