"""Pure folds and rules that more than one service needs."""
