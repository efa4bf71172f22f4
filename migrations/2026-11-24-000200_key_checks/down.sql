DROP TABLE trading.key_checks;
