"""The runner's pure decision core."""
