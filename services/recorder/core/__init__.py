"""The pure part of the recorder: what is folded from facts, and which rows they become."""
