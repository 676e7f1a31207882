"""The guard: every order needs its signed word, and it can stop everything."""
