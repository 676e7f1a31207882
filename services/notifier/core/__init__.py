"""Which facts deserve a message, in which words, and how a storm of them becomes a few."""
