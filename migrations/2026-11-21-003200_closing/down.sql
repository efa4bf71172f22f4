DROP TABLE trading.close_batches;
DROP TABLE trading.close_requests;
