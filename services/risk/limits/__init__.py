"""The guard's limits, one function a rule: what it sees in, an `Excess` out when the rule is broken."""
