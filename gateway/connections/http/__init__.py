"""HTTP of a gateway: requests one by one, with bounds, and what waits behind them."""
