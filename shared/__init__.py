"""What more than one service needs: schemas, domain folds, venues and the service runtime."""
